"""From a pipeline and an opened clip to the resolved plan and the stages that it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vidstyle.core.clip import Clip
from vidstyle.core.errors import PipelineError
from vidstyle.core.needs import Needs
from vidstyle.core.options import StageOptions
from vidstyle.core.place import Place
from vidstyle.core.plan import Plan, PlannedStage
from vidstyle.core.sink import Sink
from vidstyle.core.source import Source
from vidstyle.core.stage import AnyStage
from vidstyle.runner.config import Pipeline, StageEntry
from vidstyle.runner.device import available_cores, resolve_device
from vidstyle.runner.guard import guarded
from vidstyle.runner.keyframes import Keyframes
from vidstyle.runner.nodes import check_form
from vidstyle.runner.side_reading import SideReading
from vidstyle.runner.wiring import Wire, check_wiring, frame_bytes, layers_kept, span_budget

QUEUE = 2
"""Frames that wait between two stages: enough to overlap them, and little memory."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """The objects of one run. Nothing is loaded yet, and only the source is open."""

    pipeline: Pipeline
    source: Source
    stages: tuple[AnyStage, ...]
    sink: Sink
    clip: Clip
    """What the source decodes."""
    inputs: tuple[SideReading, ...] = ()
    """What is read beside it."""

    @property
    def entries(self) -> tuple[StageEntry, ...]:
        """The pipeline's entries between source and sink."""
        return self.pipeline.stages[1:-1]


def make_plan(
    assembly: Assembly, *, device: str = "auto", frames: tuple[int, int | None] = (0, None)
) -> Plan:
    """Settle every choice of a run.

    Raises PipelineError, PluginError or DeviceError where it cannot work.
    """
    for entry, stage in zip(assembly.entries, assembly.stages, strict=True):
        check_form(entry.name, stage)
    wires = _wires(assembly)
    inputs = tuple(side.name for side in assembly.inputs)
    check_wiring(wires, assembly.clip, inputs)
    resolved = resolve_device(device, needs_torch=any(w.needs.home == "device" for w in wires))
    clips = _clips(assembly)
    kept = layers_kept(wires)
    place = Place(device=resolved, threads=available_cores())
    queue = assembly.pipeline.queue or QUEUE

    def planned(
        entry: StageEntry, needs: Needs, position: int, options: StageOptions
    ) -> PlannedStage:
        arriving = kept[position - 1] if position else ()
        clip = clips[position]
        return PlannedStage(
            name=entry.name,
            use=entry.use,
            options=_json_options(options, entry.keyframes),
            needs=needs,
            place=place if needs.home == "device" else replace(place, device="cpu"),
            clip=clip,
            keeps=kept[position],
            memory=_memory(needs, arriving, kept[position], clip, queue),
        )

    first, *_, last = assembly.pipeline.stages
    source_writes = ("source", "image", *(("alpha",) if assembly.clip.alpha else ()), *inputs)
    source = planned(first, Needs(writes=source_writes), 0, first.options)
    stages = tuple(
        planned(entry, stage.needs, position, _settled(entry, stage, clips[position - 1]))
        for position, (entry, stage) in enumerate(
            zip(assembly.entries, assembly.stages, strict=True), 1
        )
    )
    sink = planned(
        last, assembly.sink.needs, len(stages) + 1, _settled(last, assembly.sink, clips[-1])
    )
    return Plan(
        source=source,
        stages=stages,
        sink=sink,
        device=resolved,
        queue=queue,
        chunk=assembly.pipeline.chunk,
        frames=frames,
        memory=sum(stage.memory for stage in (source, *stages, sink)),
        inputs=tuple(side.planned() for side in assembly.inputs),
    )


def _settled(entry: StageEntry, stage: AnyStage | Sink, clip: Clip) -> StageOptions:
    return guarded(entry.name, None, lambda: stage.settle(clip))


def _wires(assembly: Assembly) -> list[Wire]:
    wires = [
        Wire(entry.name, entry.kind, stage.needs)
        for entry, stage in zip(assembly.entries, assembly.stages, strict=True)
    ]
    last = assembly.pipeline.stages[-1]
    return [*wires, Wire(last.name, last.kind, assembly.sink.needs)]


def _clips(assembly: Assembly) -> list[Clip]:
    """What leaves the source and each stage; the sink sees the last."""
    clips = [assembly.clip]
    for entry, stage in zip(assembly.entries, assembly.stages, strict=True):
        clip = guarded(entry.name, None, partial(stage.describe, clips[-1]))
        before = (clips[-1].width, clips[-1].height, clips[-1].sample_aspect)
        if (clip.width, clip.height, clip.sample_aspect) != before and not stage.needs.geometry:
            raise PipelineError(
                f"stage {entry.name} changes the picture's size without declaring geometry"
            )
        clips.append(clip)
    return [*clips, clips[-1]]


def _memory(
    needs: Needs, arriving: tuple[str, ...], leaving: tuple[str, ...], clip: Clip, queue: int
) -> int:
    behind = [name for name, reach in needs.reads.items() if reach.behind]
    return (
        (span_budget(needs.span, arriving, clip) if needs.span else 0)
        + needs.behind * frame_bytes(behind, clip)
        + (needs.ahead + 1) * frame_bytes(arriving, clip)
        + queue * frame_bytes(leaving, clip)
    )


def _json_options(options: StageOptions, keyframes: Mapping[str, Keyframes]) -> Mapping[str, Any]:
    values: dict[str, Any] = options.model_dump(mode="json")
    for name, frames in keyframes.items():
        values[name] = {"at": {str(at): value for at, value in frames.points}}
    return values
