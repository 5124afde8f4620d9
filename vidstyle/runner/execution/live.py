"""Runs a plan on frames as they come: nothing is stored, and no frame waits for one it needs not.

How many frames are under way is bounded: as many as the stages look ahead, and a few more. So the
time from a frame's arrival to its result does not grow where the input is faster than the run.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from vidstyle.core.clip import Note
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.checkpoints import ChunkNumbering
from vidstyle.runner.execution.events import FrameDone, Latency, Listener, NoteEvent, Result
from vidstyle.runner.execution.frame_reader import FrameReader
from vidstyle.runner.execution.heap import keep_heap
from vidstyle.runner.execution.nodes import AnyNode, open_node
from vidstyle.runner.execution.threaded import ChannelShutError, Threads
from vidstyle.runner.execution.work import chain_flows
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.device import limit_threads
from vidstyle.runner.plan.guard import Guard

WAITING = 1
"""Frames that may be read behind one before it is written, beside those that stages look ahead.

One more may lie in the pipe by then, and has arrived for who sends it.
"""


# Seconds in which a signal that has ended another program reaches this one.
_GRACE = 0.1


class LiveWriter(Protocol):
    """Writes frames as they come."""

    @property
    def delay(self) -> int:
        """Frames that are given before the bytes of one are written."""
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What could not be kept."""
        ...

    def write(self, frame: Frame) -> str:
        """Write a frame, or what is ready by now; returns the hash of its samples."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


class FramesUnderWay:
    """Lets a frame be read only where few enough are on their way."""

    def __init__(self, most: int) -> None:
        """``most``: how many may be read and not written."""
        self._most = most
        self._read = self._written = 0
        self._shut = False
        self._changed = threading.Condition()
        self._arrived: dict[int, float] = {}
        self._total = self._longest = 0.0
        self._behind = 0

    def admit(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The frames; each is read when there is room for it."""
        several = iter(frames)
        while True:
            with self._changed:
                self._changed.wait_for(self._has_room)
                if self._shut:
                    raise ChannelShutError
                self._read += 1
            frame = next(several, None)
            if frame is None:
                return
            self._arrived[frame.index] = time.perf_counter()
            yield frame

    def leave(self, index: int) -> float:
        """Count a frame as written; returns the seconds since it arrived."""
        took = time.perf_counter() - self._arrived.pop(index)
        self._total += took
        self._longest = max(self._longest, took)
        with self._changed:
            self._behind = max(self._behind, len(self._arrived))
            self._written += 1
            self._changed.notify_all()
        return took

    def shut(self) -> None:
        """Let no more frames in, and wake who waits."""
        with self._changed:
            self._shut = True
            self._changed.notify_all()

    def latency(self, delay: int) -> Latency:
        """Of all frames so far, where the writer writes each so many frames late."""
        count = max(self._written, 1)
        return Latency(self._behind + delay, self._total / count, self._longest)

    def _has_room(self) -> bool:
        return self._shut or self._read - self._written < self._most


def run_live(
    assembly: Assembly,
    plan: Plan,
    writer: LiveWriter,
    name: str,
    *,
    listen: Listener,
    timeout: float,
    watch: Callable[[], None],
    interrupt: Callable[[], None],
    measured: bool,
) -> Result:
    """Lead all frames of an open source through the stages to the writer.

    Args:
        assembly: With the source open.
        plan: Resolved for it.
        writer: Takes the frames.
        name: Of the output, for people.
        listen: Gets the events.
        timeout: Seconds that a stage may take for a frame.
        watch: Called while no frame comes; raises where nobody waits for one.
        interrupt: Ends the reading at once; called in the end.
        measured: Whether frames arrive when they are made, so that their latency means something.

    Returns:
        What was written.

    Raises:
        VidstyleError: As a run does.
    """
    started = time.perf_counter()
    digest, total = hashlib.sha256(), plan.frame_total
    guard = Guard(plan.sink.name)
    done = 0
    with ExitStack() as stack:
        keep_heap()
        nodes = _open_nodes(assembly, plan, stack)
        limit_threads(plan.source.context.threads)
        reader = FrameReader(assembly.source, plan, assembly.inputs)
        under_way = FramesUnderWay(_look_ahead(plan) + 1 + WAITING - writer.delay)
        guards = [reader.guard, *(node.guard for node in nodes)]
        frames = stack.enter_context(
            Threads(
                under_way.admit(reader.run()),
                chain_flows(nodes, ChunkNumbering(plan.chunk)),
                plan.queue,
                guards=guards,
                limit=timeout,
                watch=watch,
            )
        )
        # The threads are waited for: first of all they must not wait themselves.
        stack.callback(under_way.shut)
        stack.callback(interrupt)
        for frame in frames:
            each = guard(frame.index, writer.write, frame)
            digest.update(bytes.fromhex(each))
            done += 1
            took = under_way.leave(frame.index)
            listen(FrameDone(frame.index, done, total, each, took if measured else None))
        if measured:
            # Ctrl-C ends all programs of a shell pipeline. Where the one before this one was the
            # first, its end is no reason to call the output complete.
            time.sleep(_GRACE)
        guard(None, writer.finish)
        for note in _notes(assembly, writer):
            listen(NoteEvent(note))
    return Result(
        output=Path(name),
        frames=done,
        digest=digest.hexdigest(),
        seconds=time.perf_counter() - started,
        stage_seconds={each.stage: each.seconds for each in (*guards, guard)},
        latency=under_way.latency(writer.delay) if measured else None,
    )


def _look_ahead(plan: Plan) -> int:
    """Frames that must have been read behind one before it can leave the last stage."""
    return sum(stage.needs.ahead + max(0, (stage.needs.span or 0) - 1) for stage in plan.stages)


def _notes(assembly: Assembly, writer: LiveWriter) -> Iterator[Note]:
    """What reading, the stages and writing have found out."""
    yield from assembly.source.notes
    for side in assembly.inputs:
        yield from side.notes
    for stage in assembly.stages:
        yield from getattr(stage, "notes", ())
    yield from assembly.sink.notes
    yield from writer.notes


def _open_nodes(assembly: Assembly, plan: Plan, stack: ExitStack) -> list[AnyNode]:
    """Open every stage; the stack closes them, whatever happens."""
    nodes: list[AnyNode] = []
    clip = plan.source.clip
    stages = zip(plan.stages, assembly.stages, assembly.entries, strict=True)
    for planned, stage, entry in stages:
        nodes.append(open_node(stack, planned, stage, entry, clip))
        clip = planned.clip
    return nodes
