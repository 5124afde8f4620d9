"""Where a clip can be cut into units that are computed apart: chunks that begin at a cut.

Nothing but the numbers of shots, chunks and frames is carried over a cut, so that a unit that
starts with these equals that part of the serial run. Cuts are found by decoding, and by the
stages up to the one of kind ``shots``; all others are left out. Where those behind it compute each
frame by itself, every chunk is a unit. Where the plan splits long shots, each part is one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from vidstyle.core.clip import Clip, Note
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.checkpoints import CheckpointParts, Checkpoints, ChunkNumbering
from vidstyle.runner.execution.frame_reader import FrameReader
from vidstyle.runner.execution.nodes import AnyNode, open_node
from vidstyle.runner.execution.serial import run_serial
from vidstyle.runner.execution.work import Work, restore_node
from vidstyle.runner.plan.guard import Guard, close_with
from vidstyle.runner.plan.parts import Parts, make_parts
from vidstyle.runner.plan.side_reading import open_side_inputs
from vidstyle.runner.plan.split import carrying_stage, compute_frames_apart, divide_at_shots
from vidstyle.runner.storage.checkpoint import Checkpoint, ChunkPosition
from vidstyle.runner.storage.stored import UnitStart


@dataclass(frozen=True, slots=True)
class AllUnits:
    """The last cut has been found."""

    chunks: int
    """How many there are."""
    notes: tuple[Note, ...]
    """What reading the clip has found out."""


def can_be_cut(plan: Plan) -> bool:
    """Whether there may be more than one unit: nothing is carried from one into the next."""
    found, others = divide_at_shots(plan.stages)
    if carrying_stage(plan.stages) is not None:
        return False
    return bool(found) or plan.split is not None or compute_frames_apart(others)


def may_be_cut(plan: Plan, work: Work) -> bool:
    """Whether a work to the end of the clip may have more than one unit."""
    if not can_be_cut(plan):
        return False
    left = plan.frame_total
    if left is not None and work.start is not None:
        left -= work.start.mark.index + 1 - plan.frames[0]
    least = min(plan.chunk[0], plan.chunk[0] if plan.split is None else plan.split.frames)
    # A chunk of fewer frames is the only one. The count is an estimate.
    return left is None or left > 0.9 * least


def find_units(plan: Plan, work: Work) -> Generator[UnitStart | AllUnits, None, None]:
    """Read a work, and give each start of a unit behind its first frame, then how many chunks.

    Raises VidstyleError where the clip cannot be read, as its run does.
    """
    parts = make_parts(plan)
    found, others = divide_at_shots(plan.stages)
    anywhere, lead = compute_frames_apart(others), sum(stage.needs.behind for stage in found)
    part, overlap = (None, 0) if plan.split is None else (plan.split.frames, plan.split.overlap)
    marks: Checkpoints = {}
    part_mark: CheckpointParts | None = None
    with ExitStack() as stack:
        close_with(stack, plan.source.name, parts.source.close)
        context = plan.source.context
        clip: Clip = Guard(plan.source.name)(None, parts.source.open, work.input, context)
        inputs = stack.enter_context(open_side_inputs(parts.inputs, clip, context))
        nodes = _open_nodes(plan, parts, len(found), stack)
        for node in nodes:
            restore_node(node, work.start)
        reader = FrameReader(
            parts.source,
            plan,
            inputs,
            checkpoints=marks,
            resume=None if work.start is None else (work.start.mark, work.start.clock),
        )
        frames = stack.enter_context(closing(reader.run()))
        stream = run_serial(frames, [node.run for node in nodes])
        position = None if work.start is None else work.start.position
        position_before = position or ChunkPosition(chunk=work.chunk)
        numbering = ChunkNumbering(
            plan.chunk, position=position, part=part, first=work.first or 0, overlap=work.overlap
        )
        # Their checkpoints are marks alone, which stay until later frames have passed.
        for frame in numbering.run(replace(frame, checkpoint=False) for frame in stream):
            before, position_before = position_before, numbering.position
            begins = frame.chunk > max(before.chunk, work.chunk)
            in_part = numbering.position.in_part
            if part is not None and in_part == part + 1 - overlap - lead:
                part_mark = marks.get(frame.index)
            splits = part is not None and in_part == 1 and frame.shot == before.shot
            gathered = part_mark if splits else marks.get(frame.index - lead)
            if begins and splits and gathered is None:
                raise ValueError(f"sought too late for the part that begins at {frame.index}")
            if begins and (anywhere or in_part == 1) and gathered is not None:
                start = Checkpoint(gathered.mark(), reader.clock, before, {})
                yield UnitStart(frame.chunk, frame.index, start, overlap if splits else 0)
            for index in [index for index in marks if index <= frame.index - lead]:
                del marks[index]
        notes = tuple(parts.source.notes)
    yield AllUnits(position_before.chunk + 1, notes)


def unit_works(works: Iterable[Work], units: Sequence[UnitStart]) -> Iterator[Work]:
    """The same as a work for each unit that is known."""
    for work in works:
        inside = [
            unit
            for unit in units
            if unit.chunk > work.chunk and (work.stop is None or unit.first < work.stop)
        ]
        starts = [work, *(at_unit(work, unit) for unit in inside)]
        stops = [*(unit.first for unit in inside), work.stop]
        for start, stop in zip(starts, stops, strict=True):
            yield replace(start, stop=stop, ends_unit=stop is not None)


def at_unit(work: Work, unit: UnitStart) -> Work:
    """The work from that unit on."""
    return replace(work, start=unit.start, chunk=unit.chunk, first=unit.first, overlap=unit.overlap)


def _open_nodes(plan: Plan, parts: Parts, count: int, stack: ExitStack) -> list[AnyNode]:
    nodes: list[AnyNode] = []
    clip = plan.source.clip
    stages = zip(plan.stages[:count], parts.stages, parts.options, strict=False)
    for planned, stage, options in stages:
        nodes.append(open_node(stack, planned, stage, options, clip))
        clip = planned.clip
    return nodes
