"""One unit of work: a plan and a piece of the input in, encoded chunks out.

``run_work(plan, work)`` gives a ``WorkSegment``; all three can be pickled. The stages are found
again by their names where the work runs, so that a spawned process, or another machine, computes
the same frames. Engines run the same steps and hand on each chunk while it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from vidstyle.core.clip import Clip, Note
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.checkpoints import Checkpoints, ChunkNumbering, PauseRule
from vidstyle.runner.execution.chunks import EncodedChunk, gather_chunks
from vidstyle.runner.execution.encoder import Encoded, Encoder
from vidstyle.runner.execution.frame_reader import FrameReader
from vidstyle.runner.execution.heap import keep_heap
from vidstyle.runner.execution.nodes import AnyNode, open_node
from vidstyle.runner.execution.recall import Recall, worth_keeping
from vidstyle.runner.execution.serial import Flow, drive_serial
from vidstyle.runner.plan.device import limit_threads
from vidstyle.runner.plan.guard import Guard, close_with
from vidstyle.runner.plan.parts import make_parts
from vidstyle.runner.plan.side_reading import SideReading, open_side_inputs
from vidstyle.runner.plan.split import divide_at_shots
from vidstyle.runner.storage.checkpoint import Checkpoint, load_stage_state
from vidstyle.runner.storage.layer_cache import LayerCache
from vidstyle.runner.storage.stored import StoredImage


@dataclass(frozen=True, slots=True)
class CacheUse:
    """A folder in which the layers of flow and stylization are looked up and kept."""

    folder: Path
    limit: int
    """Bytes that it may take."""
    identities: tuple[str, ...]
    """For each stage of the plan a hash of what its layers depend on besides their inputs."""


@dataclass(frozen=True, slots=True)
class Work:
    """A run of chunks: what is read, where it starts and where it stops."""

    input: Path
    start: Checkpoint | None = None
    """Before the first frame; None at the start of the plan's frames.

    A stage without a state in it starts fresh, as all do at a cut whose state lives for a shot.
    """
    stop: int | None = None
    """Index of the first frame that is left out, the first one of a chunk; None for all."""
    chunk: int = 0
    """Number of the first frame's chunk."""
    ends_unit: bool = False
    """Whether another unit starts at ``stop``, to which nothing is carried: no checkpoint is made
    there."""
    first: int | None = None
    """Index of the first frame that is encoded; those before it are read to find its cut. None for
    the first one that is read."""
    overlap: int = 0
    """So many frames before ``first`` are computed as well, and dropped."""
    pauses: PauseRule = field(default_factory=PauseRule)
    timeout: float = 1800.0
    """Seconds that a stage may take for a frame, or a span of them."""
    cache: CacheUse | None = None


@dataclass(frozen=True, slots=True)
class WorkSegment:
    """What a work has become."""

    chunks: tuple[EncodedChunk, ...]
    start: Fraction
    """When the run's first frame is shown, in seconds on the file's clock."""
    next: Checkpoint | None
    """Where the next work starts; None behind the last frame."""
    notes: tuple[Note, ...]
    seconds: Mapping[str, float]
    """Time inside each stage, source and sink included."""


Drive: TypeAlias = Callable[
    [Iterable[Frame], Sequence[Flow], Sequence[Guard], Plan, float],
    AbstractContextManager[Iterable[Frame]],
]
"""Leads frames through flows: on one thread, or on one for each."""


class RunningWork:
    """A work whose stages are open: iterate it once for what it encodes."""

    def __init__(
        self, plan: Plan, work: Work, drive: Drive, replay: Iterable[StoredImage] = ()
    ) -> None:
        """``replay`` are frames of the first chunk that an earlier run has computed."""
        self._plan, self._work, self._drive, self._replay = plan, work, drive, replay
        self._stack = ExitStack()

    def __enter__(self) -> RunningWork:
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Encoded]:
        return self._encoded

    @property
    def start(self) -> Fraction:
        """When the run's first frame is shown, in seconds on the file's clock."""
        return self._reader.clock.start

    @property
    def notes(self) -> tuple[Note, ...]:
        """What reading and the stages have found out so far."""
        notes = [] if self._cache is None else [Note("cache", n) for n in self._cache.notes()]
        notes += self._parts.source.notes
        for side in self._inputs:
            notes += side.notes
        for stage in self._parts.stages:
            # Of filters that count what they find; most stages have nothing to report.
            notes += getattr(stage, "notes", ())
        return tuple(notes)

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time inside each stage so far."""
        return {guard.stage: guard.seconds for guard in (*self._guards, self._encoder.guard)}

    def _open(self, stack: ExitStack) -> None:
        plan, work = self._plan, self._work
        keep_heap()
        self._parts = parts = make_parts(plan)
        close_with(stack, plan.source.name, parts.source.close)
        context = plan.source.context
        clip: Clip = Guard(plan.source.name)(None, parts.source.open, work.input, context)
        self._inputs: Sequence[SideReading] = stack.enter_context(
            open_side_inputs(parts.inputs, clip, context)
        )
        cache = work.cache
        self._cache = None if cache is None else LayerCache(cache.folder, cache.limit)
        checkpoints: Checkpoints = {}
        nodes = self._open_nodes(stack, checkpoints)
        # Not the sink's, which are the encoder's own.
        limit_threads(plan.source.context.threads)
        start = work.start
        self._reader = FrameReader(
            parts.source,
            plan,
            self._inputs,
            checkpoints=checkpoints,
            resume=None if start is None else (start.mark, start.clock),
        )
        numbering = self._number(checkpoints)
        self._encoder = Encoder(
            parts.sink, plan, checkpoints, work.pauses, lambda: self._reader.clock
        )
        self._guards = [self._reader.guard, *(node.guard for node in nodes)]
        flows = chain_flows(nodes, numbering)
        frames = stack.enter_context(
            self._drive(self._reader.run(), flows, self._guards, plan, work.timeout)
        )
        encoded = self._encoder.run(
            frames, chunk=work.chunk, first=work.first or 0, stop=work.stop, replay=self._replay
        )
        self._encoded = stack.enter_context(closing(encoded))

    def _number(self, checkpoints: Checkpoints) -> ChunkNumbering:
        plan, work = self._plan, self._work
        _, others = divide_at_shots(plan.stages)
        return ChunkNumbering(
            plan.chunk,
            checkpoints,
            work.pauses,
            None if work.start is None else work.start.position,
            part=None if plan.split is None else plan.split.frames,
            first=work.first or 0,
            overlap=work.overlap,
            # The encoder leaves out what follows: stages need not compute it.
            stop=work.stop if work.ends_unit else None,
            # At a cut nobody looks ahead, but a part may end here.
            ahead=0 if plan.split is None else sum(stage.needs.ahead for stage in others),
        )

    def _open_nodes(self, stack: ExitStack, checkpoints: Checkpoints) -> list[AnyNode]:
        """Open every stage and the sink; the stack closes them, whatever happens."""
        plan, parts = self._plan, self._parts
        nodes: list[AnyNode] = []
        clip = plan.source.clip
        for number, (planned, stage, options) in enumerate(
            zip(plan.stages, parts.stages, parts.options, strict=True)
        ):
            recall = self._recall(number)
            node = open_node(
                stack, planned, stage, options, clip, checkpoints=checkpoints, recall=recall
            )
            restore_node(node, self._work.start)
            nodes.append(node)
            clip = planned.clip
        close_with(stack, plan.sink.name, parts.sink.close)
        Guard(plan.sink.name)(None, parts.sink.open, clip, plan.sink.context)
        return nodes

    def _recall(self, number: int) -> Recall | None:
        """The cache as a stage uses it; None for those whose work is not kept."""
        planned, use = self._plan.stages[number], self._work.cache
        kind = planned.use.partition("/")[0]
        if use is None or self._cache is None or not worth_keeping(kind, planned.needs):
            return None
        return Recall(self._cache, use.identities[number])


def run_work(
    plan: Plan, work: Work, drive: Drive = drive_serial, replay: Iterable[StoredImage] = ()
) -> WorkSegment:
    """Compute a work and keep what it gives in memory.

    Args:
        plan: The resolved plan, from this process or another one.
        work: What to compute of it.
        drive: How frames are led through the stages.
        replay: Frames of the first chunk that an earlier run has computed.

    Raises:
        VidstyleError: As a run does.
    """
    chunks: list[EncodedChunk] = []
    following = None
    with RunningWork(plan, work, drive, replay) as running:
        for chunk, checkpoint in gather_chunks(running):
            chunks.append(chunk)
            following = checkpoint
        if following is not None:
            following = replace(following, states=dict(following.states))
        return WorkSegment(
            tuple(chunks), running.start, following, running.notes, dict(running.seconds)
        )


def restore_node(node: AnyNode, start: Checkpoint | None) -> None:
    """Give a node its stage's state at a checkpoint that has one."""
    saved = None if start is None else start.states.get(node.planned.name)
    if saved is not None:
        node.restore(load_stage_state(saved, node.planned.context.device))


def chain_flows(nodes: Sequence[AnyNode], numbering: ChunkNumbering) -> list[Flow]:
    """The nodes in order, with the numbering of shots and chunks where it belongs."""
    flows: list[Flow] = [node.run for node in nodes]
    kinds = [node.planned.use.partition("/")[0] for node in nodes]
    if "shots" not in kinds:
        return [numbering.run, *flows]
    at = kinds.index("shots")
    shots = flows[at]
    return [*flows[:at], lambda frames: numbering.run(shots(frames)), *flows[at + 1 :]]
