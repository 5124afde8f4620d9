"""The objects of one run, made and fitted to a clip; nothing is loaded yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidstyle.core.clip import Clip
from vidstyle.core.context import ExecutionContext
from vidstyle.core.errors import PluginError
from vidstyle.core.geometry import GeometryStage
from vidstyle.core.sink import Sink
from vidstyle.core.source import Source
from vidstyle.core.stage import AnyStage
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.plan.device import available_cores, resolve_device
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.side_reading import SideReading
from vidstyle.runner.plan.wiring import Wire, check_wiring


@dataclass(frozen=True, slots=True)
class Assembly:
    """Only the source is open."""

    pipeline: Pipeline
    """With every ``auto`` of its stages' options as the value that it stands for."""
    source: Source
    stages: tuple[AnyStage, ...]
    sink: Sink
    clips: tuple[Clip, ...]
    """What leaves the source, and each stage."""
    device: str
    """``cpu`` or ``cuda:N``."""
    threads: int
    """Of each stage's library."""
    inputs: tuple[SideReading, ...] = ()
    """What is read beside the source."""

    @property
    def clip(self) -> Clip:
        """What the source decodes."""
        return self.clips[0]

    @property
    def entries(self) -> tuple[StageEntry, ...]:
        """The pipeline's entries between source and sink."""
        return self.pipeline.stages[1:-1]

    @property
    def wires(self) -> list[Wire]:
        """Of the stages and the sink."""
        return _wires(self.pipeline, self.stages, self.sink)


def assemble(
    pipeline: Pipeline,
    source: Source,
    clip: Clip,
    *,
    inputs: tuple[SideReading, ...] = (),
    device: str = "auto",
    cores: int | None = None,
) -> Assembly:
    """Make stages and sink for a clip, and resolve what is left open in their options.

    ``cores`` are those that the run may use; None for all that this process may.

    Raises PipelineError, PluginError or DeviceError where they do not go together.
    """
    first, *middle, last = pipeline.stages
    names = tuple(side.name for side in inputs)
    given = ["alpha"] if clip.alpha else []
    # One of the side inputs may stand in for the image.
    layers = tuple(dict.fromkeys(["source", "image", *given, *names]))
    stages: list[AnyStage] = [_made(entry, layers) for entry in middle]
    sink: Sink = make_stage(last)
    for entry, stage in zip(middle, stages, strict=True):
        # A property may be the plugin author's code, too.
        Guard(entry.name)(None, getattr, stage, "needs")
        check_form(entry.name, stage)
    wires = _wires(pipeline, stages, sink)
    places = {side.name: side.where for side in pipeline.inputs}
    check_wiring(wires, clip, names, places)
    on_device = any(wire.needs.home == "device" for wire in wires)
    threads = cores or available_cores()
    context = ExecutionContext(resolve_device(device, needs_torch=on_device), threads)
    clips = [clip]
    for position, (entry, stage) in enumerate(zip(middle, stages, strict=True)):
        middle[position], stages[position] = _resolved(entry, stage, clips[-1], context, layers)
        clips.append(_described(middle[position], stages[position], clips[-1]))
    if clips[-1].full_size is not None:
        reducing = next(e for e, after in zip(middle, clips[1:], strict=True) if after.full_size)
        raise reducing.where.error(
            f"stage {reducing.name} reduces frames, and no geometry/restore gives their size back;"
            " add it behind the blend, or use geometry/scale"
        )
    last, sink = _resolved(last, sink, clips[-1], context, ())
    return Assembly(
        pipeline=replace(pipeline, stages=(first, *middle, last)),
        source=source,
        stages=tuple(stages),
        sink=sink,
        clips=tuple(clips),
        device=context.device,
        threads=threads,
        inputs=inputs,
    )


def make_stage(entry: StageEntry) -> Any:
    """The stage itself; its constructor is the plugin author's code."""
    return Guard(entry.name)(None, entry.cls, entry.options)


def _made(entry: StageEntry, layers: Sequence[str]) -> Any:
    """The stage; one that changes the size gets the names of the layers that frames have."""
    stage = make_stage(entry)
    return stage.with_layers(layers) if isinstance(stage, GeometryStage) else stage


def _resolved(
    entry: StageEntry, stage: Any, clip: Clip, context: ExecutionContext, layers: Sequence[str]
) -> tuple[StageEntry, Any]:
    options = Guard(entry.name)(None, stage.resolve, clip, context)
    if options == entry.options:
        return entry, stage
    entry = replace(entry, options=options)
    return entry, _made(entry, layers)


def _described(entry: StageEntry, stage: AnyStage, clip: Clip) -> Clip:
    after: Clip = Guard(entry.name)(None, stage.describe, clip)
    if not stage.needs.geometry and _form(after) != _form(clip):
        raise entry.where.error(
            f"stage {entry.name} changes the image's size without declaring geometry"
        )
    return after


def _form(clip: Clip) -> tuple[object, ...]:
    return clip.width, clip.height, clip.sample_aspect


def _wires(pipeline: Pipeline, stages: Sequence[AnyStage], sink: Sink) -> list[Wire]:
    *entries, last = pipeline.stages[1:]
    wires = [
        Wire(entry.name, entry.kind, stage.needs, entry.where)
        for entry, stage in zip(entries, stages, strict=True)
    ]
    return [*wires, Wire(last.name, last.kind, sink.needs, last.where)]


def check_form(name: str, stage: AnyStage) -> None:
    """Raise PluginError where the stage's method and its declaration are of two forms."""
    by_spans = callable(getattr(stage, "step_span", None))
    if by_spans and stage.needs.span is None:
        raise PluginError(
            f"stage {name} has step_span, but declares no spans; set Needs(span=...) to the"
            " number of frames that it gets at most"
        )
    if callable(getattr(stage, "step_many", None)) and stage.needs.scope != "none":
        raise PluginError(f"stage {name} has step_many, but keeps a state; leave one of them out")
    if not by_spans and stage.needs.span is not None:
        raise PluginError(f"stage {name} declares spans, but has no step_span")
