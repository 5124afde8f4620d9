"""Where a clip can be cut into units that are computed apart: chunks that begin at a cut.

Nothing but the numbers of shots, chunks and frames is carried over a cut, so that a unit that
starts with these equals that part of the serial run. Cuts are found by decoding, and by the
stages up to the one of kind ``shots``; all others are left out. Where those behind it compute each
frame by itself, every chunk is a unit.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from vidstyle.core.clip import Clip, Note
from vidstyle.core.plan import Plan, PlannedStage
from vidstyle.runner.execution.checkpoints import Checkpoints, ChunkNumbering
from vidstyle.runner.execution.frame_reader import FrameReader
from vidstyle.runner.execution.nodes import AnyNode, make_node
from vidstyle.runner.execution.serial import run_serial
from vidstyle.runner.execution.work import Work, restore_node
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.parts import Parts, make_parts
from vidstyle.runner.plan.side_reading import open_side_inputs
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
    found, others = _split(plan)
    if any(stage.needs.scope != "none" or stage.needs.span for stage in found):
        return False
    return _is_separate(others) or (
        bool(found) and all(stage.needs.scope != "clip" for stage in others)
    )


def _split(plan: Plan) -> tuple[Sequence[PlannedStage], Sequence[PlannedStage]]:
    """The stages that find cuts, and those behind them."""
    kinds = [stage.use.partition("/")[0] for stage in plan.stages]
    count = kinds.index("shots") + 1 if "shots" in kinds else 0
    return plan.stages[:count], plan.stages[count:]


def _is_separate(stages: Sequence[PlannedStage]) -> bool:
    """Whether they compute each frame by itself, so that any chunk may be a unit."""
    needs = [stage.needs for stage in stages]
    return not any(n.scope != "none" or n.behind or n.ahead or n.span for n in needs)


def find_units(plan: Plan, work: Work) -> Generator[UnitStart | AllUnits, None, None]:
    """Read a work, and give each start of a unit behind its first frame, then how many chunks.

    Raises VidstyleError where the clip cannot be read, as its run does.
    """
    parts = make_parts(plan)
    found, others = _split(plan)
    anywhere, lead = _is_separate(others), sum(stage.needs.behind for stage in found)
    marks: Checkpoints = {}
    with ExitStack() as stack:
        stack.callback(parts.source.close)
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
        numbering = ChunkNumbering(plan.chunk, position=position, first=work.first or 0)
        # Their checkpoints are marks alone, which stay until later frames have passed.
        for frame in numbering.run(replace(frame, checkpoint=False) for frame in stream):
            before, position_before = position_before, numbering.position
            begins = frame.chunk > max(before.chunk, work.chunk)
            can_start = begins and (anywhere or frame.shot > before.shot)
            if can_start and (gathered := marks.get(frame.index - lead)):
                start = Checkpoint(gathered.mark(), reader.clock, before, {})
                yield UnitStart(frame.chunk, frame.index, start)
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
            yield replace(start, stop=stop, ends_at_cut=stop is not None)


def at_unit(work: Work, unit: UnitStart) -> Work:
    """The work from that unit on."""
    return replace(work, start=unit.start, chunk=unit.chunk, first=unit.first)


def _open_nodes(plan: Plan, parts: Parts, count: int, stack: ExitStack) -> list[AnyNode]:
    nodes: list[AnyNode] = []
    clip = plan.source.clip
    stages = zip(plan.stages[:count], parts.stages, parts.options, strict=False)
    for planned, stage, options in stages:
        stack.callback(stage.close)
        Guard(planned.name)(None, stage.open, clip, planned.context)
        node = make_node(planned, stage, options)
        stack.callback(node.close)
        nodes.append(node)
        clip = planned.clip
    return nodes
