"""From an assembly to the resolved plan: every choice of a run as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vidstyle.core.clip import Clip
from vidstyle.core.needs import Needs
from vidstyle.core.options import StageOptions
from vidstyle.core.place import Place
from vidstyle.core.plan import Plan, PlannedStage
from vidstyle.runner.assembly import Assembly
from vidstyle.runner.config import StageEntry
from vidstyle.runner.device import available_cores
from vidstyle.runner.keyframes import Keyframes
from vidstyle.runner.wiring import frame_bytes, layers_kept, span_budget

QUEUE = 2
"""Frames that wait between two stages: enough to overlap them, and little memory."""


def make_plan(assembly: Assembly, *, frames: tuple[int, int | None] = (0, None)) -> Plan:
    """Settle every choice of a run."""
    clips, kept = assembly.clips, layers_kept(assembly.wires)
    place = Place(device=assembly.device, threads=available_cores())
    queue = assembly.pipeline.queue or QUEUE

    def planned(entry: StageEntry, needs: Needs, position: int) -> PlannedStage:
        arriving = kept[position - 1] if position else ()
        clip = clips[min(position, len(clips) - 1)]
        return PlannedStage(
            name=entry.name,
            use=entry.use,
            options=_json_options(entry.options, entry.keyframes),
            needs=needs,
            place=place if needs.home == "device" else replace(place, device="cpu"),
            clip=clip,
            keeps=kept[position],
            memory=_memory(needs, arriving, kept[position], clip, queue),
        )

    first, *_, last = assembly.pipeline.stages
    inputs = tuple(side.name for side in assembly.inputs)
    source_writes = ("source", "image", *(("alpha",) if assembly.clip.alpha else ()), *inputs)
    source = planned(first, Needs(writes=source_writes), 0)
    stages = tuple(
        planned(entry, stage.needs, position)
        for position, (entry, stage) in enumerate(
            zip(assembly.entries, assembly.stages, strict=True), 1
        )
    )
    sink = planned(last, assembly.sink.needs, len(stages) + 1)
    return Plan(
        source=source,
        stages=stages,
        sink=sink,
        device=assembly.device,
        queue=queue,
        chunk=assembly.pipeline.chunk,
        frames=frames,
        memory=sum(stage.memory for stage in (source, *stages, sink)),
        inputs=tuple(side.planned() for side in assembly.inputs),
    )


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
