"""A pipeline, read and judged: every stage found, every option of the right kind.

Top-level keys of the file: ``version: 1``; ``stages``, a list of ``use: kind/name`` with the
stage's options beside it and ``as: name`` where a stage wants its own name; ``extends`` and
``set`` (see ``pipeline_file``); ``inputs: {mask: mask.mp4}``, images and videos that become
layers beside the clip's own (see ``side_inputs``); ``chunk: {least: 125, most: 250}``, the
frames in a unit of work; ``queue``, the frames that may wait between two stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidstyle.core.options import StageOptions
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import Keyframes
from vidstyle.runner.config.overrides import parse_override
from vidstyle.runner.config.pipeline_file import CHUNK, VERSION, read_pipeline_file
from vidstyle.runner.config.side_inputs import SideInput
from vidstyle.runner.config.stage_list import WrittenStage
from vidstyle.runner.config.stage_options import ReadOptions, read_options
from vidstyle.runner.config.yaml_values import Where


@dataclass(frozen=True, slots=True)
class StageEntry:
    """One stage of a pipeline, ready to be made: ``entry.cls(entry.options)``."""

    name: str
    """Unique: ``as:``, or the kind, or the kind with a number where it is there twice."""
    use: str
    """``kind/name``."""
    kind: str
    cls: type[Any]
    options: StageOptions
    """Keyframed ones have the value of their first keyframe; see ``keyframes.options_at``."""
    keyframes: Mapping[str, Keyframes] = field(default_factory=dict)
    """Options that change over time, by name."""
    where: Where = field(default_factory=lambda: Where("code"))
    """Where the pipeline names the stage."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a pipeline file says, overrides applied."""

    version: int
    stages: tuple[StageEntry, ...]
    """The first is of kind ``decode``, the last of kind ``encode``, and no other is."""
    path: Path
    chunk: tuple[int, int] = CHUNK
    """A chunk ends at the first cut after so many frames, or at so many."""
    queue: int | None = None
    """Frames that may wait between two stages; None leaves it to the plan."""
    inputs: tuple[SideInput, ...] = ()
    """Those of ``inputs:``, then the files that options name."""
    plugins: tuple[Path, ...] = ()
    """Folders that the registry of its stages has besides built-in and installed ones."""


def load_pipeline(path: Path, *, registry: Registry, overrides: Sequence[str] = ()) -> Pipeline:
    """Read a pipeline file. Opens no clip, makes no stage and loads no weights.

    ``overrides`` are texts such as ``blend.strength=0.5``; the later of two wins.
    Raises PipelineError, with file:line:column or the override's text, where anything is
    wrong, and PluginError where a stage that is used is broken or claimed twice.
    """
    written = read_pipeline_file(path)
    for text in overrides:
        written = written.having(parse_override(text))
    entries, inputs = [], list(written.inputs.values())
    for stage in written.stages:
        cls = registry.find(stage.use, stage.where)
        read = read_options(stage, cls.Options)
        entries.append(_entry(stage, cls, read))
        inputs.extend(read.inputs)
    return Pipeline(
        VERSION,
        tuple(entries),
        path,
        written.chunk,
        written.queue,
        tuple(inputs),
        registry.folders,
    )


def _entry(stage: WrittenStage, cls: type[Any], read: ReadOptions) -> StageEntry:
    return StageEntry(
        stage.name, stage.use, stage.kind, cls, read.values, read.keyframes, stage.where
    )
