"""From an assembly to the resolved plan: every choice of a run as a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vidstyle.core.context import ExecutionContext
from vidstyle.core.needs import Needs
from vidstyle.core.plan import Plan, PlannedStage
from vidstyle.runner.config.keyframes import options_to_json
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.memory import (
    BUDGET,
    Choice,
    choices,
    frames_memory,
    process_memory,
    refusal,
)
from vidstyle.runner.plan.split import divide_at_shots, resolve_split
from vidstyle.runner.plan.wiring import frame_bytes, layers_kept, span_budget

ENCODER_THREADS = 4
"""Threads of every encoder, on any machine and beside any number of other runs: libx264, libx265,
SVT-AV1 and VP9 give other packets for another number."""


def make_plan(
    assembly: Assembly,
    *,
    frames: tuple[int, int | None] = (0, None),
    part: int | None = None,
    budget: int = BUDGET,
    below: Plan | None = None,
    live: bool = False,
) -> Plan:
    """Resolve every choice of a run.

    Args:
        assembly: Its objects.
        frames: Half-open interval of frame indices.
        part: Frames after which a shot is cut; None for never.
        budget: Bytes of memory that it may take.
        below: A plan that is to be undercut.
        live: Whether frames are written as they come.

    Raises:
        DeviceError: It would take more than ``budget`` bytes whatever is chosen, or nothing takes
            less than ``below``.
        UsageError: Shots cannot be cut so.
    """
    plan = None
    for savings, choice in enumerate(choices(assembly.pipeline.queue, live=live)):
        plan = _plan(assembly, frames, part, choice, savings)
        saves = below is None or (savings > below.savings and plan.memory < below.memory)
        if plan.memory <= budget and saves:
            return plan
    assert plan is not None
    raise refusal(plan, _plan(_halve_sides(assembly), frames, part, choice, savings), budget)


def _halve_sides(assembly: Assembly) -> Assembly:
    """The same for images of half the sides."""
    halves = [
        replace(
            clip,
            width=max(clip.width // 2, 1),
            height=max(clip.height // 2, 1),
            full_size=clip.full_size and (clip.full_size[0] // 2, clip.full_size[1] // 2),
        )
        for clip in assembly.clips
    ]
    return replace(assembly, clips=tuple(halves))


def _plan(
    assembly: Assembly,
    frames: tuple[int, int | None],
    part: int | None,
    choice: Choice,
    savings: int,
) -> Plan:
    entries, clips = assembly.pipeline.stages, assembly.clips
    # One of them may stand in for the image.
    inputs = tuple(side.name for side in assembly.inputs if side.name != "image")
    source_writes = ("source", "image", *(("alpha",) if assembly.clip.alpha else ()), *inputs)
    declared = [Needs(writes=source_writes), *(wire.needs for wire in assembly.wires)]
    kept = layers_kept(assembly.wires)
    distinct = list(_distinct(declared, kept))
    planned = []
    for position, (entry, needs) in enumerate(zip(entries, declared, strict=True)):
        worker = (None, *assembly.stages, assembly.sink)[position]
        context = _context(assembly, needs, choice, batches=hasattr(worker, "step_many"))
        if worker is assembly.sink:
            context = replace(context, threads=ENCODER_THREADS)
        arrives, leaves = (clips[min(max(p, 0), len(clips) - 1)] for p in (position - 1, position))
        arriving = distinct[position - 1] if position else ()
        memory = frames_memory(needs, arriving, distinct[position], leaves, choice.queue)
        if needs.span:
            memory += span_budget(needs.span, kept[position - 1], leaves)
        if worker is not None:
            memory += Guard(entry.name)(None, worker.memory, arrives, context)
        planned.append(
            PlannedStage(
                name=entry.name,
                use=entry.use,
                options=options_to_json(entry.options, entry.keyframes),
                needs=needs,
                context=context,
                clip=leaves,
                keeps=kept[position],
                memory=memory,
            )
        )
    one_frame = max(map(frame_bytes, distinct, (stage.clip for stage in planned)))
    on_device = any(needs.home == "device" for needs in declared)
    split = resolve_split(planned[1:-1], part)
    # Cuts are sought beside the run.
    found = () if split is None else (planned[0], *divide_at_shots(planned[1:-1])[0])
    return Plan(
        source=planned[0],
        stages=tuple(planned[1:-1]),
        sink=planned[-1],
        device=assembly.device,
        queue=choice.queue,
        chunk=assembly.pipeline.chunk,
        frames=frames,
        memory=process_memory(torch=on_device)
        + (0 if choice.queue else one_frame)
        + sum(stage.memory for stage in (*planned, *found)),
        savings=savings,
        plugins=tuple(map(str, assembly.pipeline.plugins)),
        inputs=tuple(side.planned() for side in assembly.inputs),
        split=split,
    )


def _context(
    assembly: Assembly, needs: Needs, choice: Choice, *, batches: bool
) -> ExecutionContext:
    device = assembly.device if needs.home == "device" else "cpu"
    batch = choice.batch if batches and device != "cpu" else 1
    return ExecutionContext(device=device, threads=assembly.threads, batch=batch)


def _distinct(
    declared: Sequence[Needs], kept: Sequence[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Of the layers behind each stage those with memory of their own.

    Until a stage writes one of them, ``image`` is ``source``.
    """
    same = True
    for position, (needs, layers) in enumerate(zip(declared, kept, strict=True)):
        same = same and (position == 0 or not {"source", "image"} & set(needs.writes))
        shared = same and {"source", "image"} <= set(layers)
        yield tuple(name for name in layers if not (shared and name == "image"))
