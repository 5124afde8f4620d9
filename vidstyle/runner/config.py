"""A pipeline, read and judged: every stage found, every option of the right kind.

Top-level keys of the file: ``version: 1``; ``stages``, a list of ``use: kind/name`` with the
stage's options beside it and ``as: name`` where a stage wants its own name; ``extends`` and
``set`` (see ``pipeline_file``); ``chunk: {least: 125, most: 250}``, the frames in a unit of
work; ``queue``, the frames that may wait between two stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidstyle.core.options import StageOptions
from vidstyle.runner.discovery import Registry
from vidstyle.runner.keyframes import Keyframes
from vidstyle.runner.overrides import override, parse_override
from vidstyle.runner.pipeline_file import CHUNK, VERSION, read_pipeline_file
from vidstyle.runner.stage_list import WrittenStage
from vidstyle.runner.stage_options import read_options
from vidstyle.runner.yaml_values import Where


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


def load_pipeline(path: Path, *, registry: Registry, overrides: Sequence[str] = ()) -> Pipeline:
    """Read a pipeline file. Opens no clip, makes no stage and loads no weights.

    ``overrides`` are texts such as ``blend.strength=0.5``; the later of two wins.
    Raises PipelineError, with file:line:column or the override's text, where anything is
    wrong, and PluginError where a stage that is used is broken or claimed twice.
    """
    written = read_pipeline_file(path)
    stages = written.stages
    for text in overrides:
        stages = override(stages, parse_override(text))
    entries = tuple(_entry(stage, registry) for stage in stages)
    return Pipeline(VERSION, entries, path, written.chunk, written.queue)


def _entry(stage: WrittenStage, registry: Registry) -> StageEntry:
    cls = registry.find(stage.use, stage.where)
    read = read_options(stage, cls.Options)
    return StageEntry(
        stage.name, stage.use, stage.kind, cls, read.values, read.keyframes, stage.where
    )
