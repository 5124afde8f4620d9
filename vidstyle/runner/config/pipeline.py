"""A pipeline, read and validated: every stage is found, every option has a valid value.

Top-level keys of the file: ``version: 1``; ``stages``, a list of ``use: kind/name`` with the
options of the stage beside it and ``as: name`` for a name of its own; ``extends`` and ``set`` (see
``pipeline_file``); ``inputs: {mask: mask.mp4}``, images and videos that become layers beside those
of the clip (see ``side_inputs``); ``chunk: {least: 125, most: 250}``, the frames in a unit of
work; ``queue``, the frames that may wait between two stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidstyle.core.errors import WeightsError
from vidstyle.core.options import StageOptions
from vidstyle.runner.config.changes import (
    Change,
    Override,
    TypedStage,
    TypedStrokes,
    parse_override,
)
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.faults import Faults
from vidstyle.runner.config.full_size import mix_at_full_size, with_larger_strokes
from vidstyle.runner.config.keyframes import Keyframes
from vidstyle.runner.config.output_format import fit_output
from vidstyle.runner.config.pipeline_file import CHUNK, VERSION, WrittenPipeline, read_pipeline_file
from vidstyle.runner.config.side_inputs import SideInput
from vidstyle.runner.config.stage_list import WrittenStage
from vidstyle.runner.config.stage_options import read_options
from vidstyle.runner.config.yaml_values import Where


@dataclass(frozen=True, slots=True)
class StageEntry:
    """One stage of a pipeline. ``entry.cls(entry.options)`` makes it."""

    name: str
    """Unique: ``as:``, or the kind, or the kind with a number where it occurs more than once."""
    use: str
    """``kind/name``."""
    kind: str
    cls: type[Any]
    options: StageOptions
    """Keyframed ones have the value of their first keyframe; see ``keyframes.options_at``."""
    keyframes: Mapping[str, Keyframes] = field(default_factory=dict)
    """Options that change over time, by name."""
    where: Where = field(default_factory=lambda: Where("code"))
    """The position of the stage in the pipeline's file."""
    inputs: tuple[SideInput, ...] = ()
    """Files that its options name and that become layers."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The content of a pipeline file, overrides applied."""

    version: int
    stages: tuple[StageEntry, ...]
    """The first is of kind ``decode``, the last of kind ``encode``, and no other is."""
    path: Path
    chunk: tuple[int, int] = CHUNK
    """A chunk ends at the first cut after the first number of frames, or at the second number."""
    queue: int | None = None
    """Frames that may wait between two stages; None leaves it to the plan."""
    inputs: tuple[SideInput, ...] = ()
    """Those of ``inputs:``, then the files that options name."""
    plugins: tuple[Path, ...] = ()
    """The plugin folders of the registry that its stages come from."""
    notes: tuple[str, ...] = ()
    """What was changed to fit the output's name, a line each."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Its classes are found again by their names where it arrives."""
        from vidstyle.runner.config.recipe import from_recipe, to_recipe

        return from_recipe, (to_recipe(self),)


def load_pipeline(
    path: Path, *, registry: Registry, overrides: Sequence[Change] = (), suffix: str = ""
) -> Pipeline:
    """Read a pipeline file. Opens no clip, makes no stage and loads no weights.

    ``overrides`` are texts such as ``blend.strength=0.5``; the later of two wins. Stages are added
    before any option is changed. ``suffix`` is that of the output, if it is known: it chooses a
    codec (``output_format``). Raises
    PipelineError, with file:line:column or the override as typed, where anything is wrong, in a
    line for each fault, PluginError for a stage that is broken or claimed twice, and WeightsError
    where all that is wrong are weights that are not there.
    """
    faults = Faults()
    written = read_pipeline_file(path, faults)
    notes: tuple[str, ...] = ()
    # What is not whole cannot be changed: a stage that is not found may be one that is not read.
    if not faults:
        written, notes = _changed(written, overrides, suffix.lower(), faults)
    entries: list[StageEntry] = []
    for stage in written.stages:
        # A stage that stands in a wrong place may have a wrong name: one line is enough.
        if faults.mention(str(stage.where)):
            continue
        with faults.collect():
            entry = load_stage(stage, registry)
            entries.append(entry)
            _check_files(stage, entry)
    faults.raise_all()
    of_options = [side for entry in entries for side in entry.inputs]
    return Pipeline(
        VERSION,
        tuple(entries),
        path,
        written.chunk,
        written.queue,
        (*written.inputs.values(), *of_options),
        registry.folders,
        notes,
    )


def _changed(
    written: WrittenPipeline, overrides: Sequence[Change], suffix: str, faults: Faults
) -> tuple[WrittenPipeline, tuple[str, ...]]:
    """The pipeline with the command line's changes, and what was fitted to the output's name."""
    for given in overrides:
        if isinstance(given, TypedStage):
            with faults.collect():
                written = written.with_stage(given)
        elif isinstance(given, TypedStrokes):
            with faults.collect():
                written = with_larger_strokes(written, given)
    changes: list[Override] = []
    for given in overrides:
        if not isinstance(given, TypedStage):
            text = given.override if isinstance(given, TypedStrokes) else given
            with faults.collect():
                changes.append(parse_override(text))
    written, notes = fit_output(written, suffix, changes)
    for change in changes:
        with faults.collect():
            written = written.with_override(change)
    with faults.collect():
        written = mix_at_full_size(written)
    return written, notes


def _check_files(written: WrittenStage, entry: StageEntry) -> None:
    """Raise WeightsError, with a line for each option that names weights which are not there."""
    lines = []
    for option, reason in entry.options.absent_files().items():
        value = written.options.items.get(option)
        where = written.where if value is None else value.where
        lines.append(f"{where}: stage {entry.name}: {reason}")
    if lines:
        raise WeightsError("\n".join(lines))


def load_stage(written: WrittenStage, registry: Registry) -> StageEntry:
    """Find the class of a stage and validate its options. Raises as ``load_pipeline`` does."""
    cls = registry.find(written.use, written.where)
    read = read_options(written, cls.Options)
    return StageEntry(
        written.name,
        written.use,
        written.kind,
        cls,
        read.values,
        read.keyframes,
        written.where,
        read.inputs,
    )
