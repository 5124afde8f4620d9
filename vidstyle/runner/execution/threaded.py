"""One thread a stage with bounded queues between them; the same frames as ``serial``.

Whatever raises, wherever it stands, ends every thread: the first error is kept, all
channels are shut, and the error is raised to whoever consumes the frames.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from types import TracebackType

from vidstyle.core.errors import Terminated
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.serial import Flow
from vidstyle.runner.plan.guard import Guard

_NAME = "vidstyle stage"
# Seconds between two looks at what somebody watches.
_OFTEN = 0.2
# Seconds that are waited for the other stages where one does not come back.
_HUNG = 1.0
# Seconds in which a step may come to its end where somebody wants the run to: some take minutes.
_ASKED_TO_END = 5.0


class ChannelShutError(Exception):
    """The run is ending; the thread that meets this leaves quietly."""


class Channel:
    """A bounded queue that can end, and that can be shut from any side at any time."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[Frame] = deque()
        self._capacity = capacity
        self._changed = threading.Condition()
        self._ended = self._shut = False

    def put(self, item: Frame) -> None:
        """Wait for room. Raises ChannelShutError where the run is ending."""
        with self._changed:
            self._changed.wait_for(lambda: self._shut or len(self._items) < self._capacity)
            if self._shut:
                raise ChannelShutError
            self._items.append(item)
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def shut(self) -> None:
        """Wake everybody and let nothing pass any more."""
        with self._changed:
            self._shut = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Frame]:
        return self.watching(None, _nothing)

    def watching(self, seconds: float | None, look: Callable[[], None]) -> Iterator[Frame]:
        """The items; while none comes, ``look`` is called every so many seconds."""
        while True:
            with self._changed:
                while not self._changed.wait_for(self._resolved, timeout=seconds):
                    look()
                if self._shut:
                    raise ChannelShutError
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def _resolved(self) -> bool:
        return self._shut or self._ended or bool(self._items)


class Threads:
    """The running pipeline: iterate it for its frames, leave its context to end it."""

    def __init__(
        self,
        frames: Iterable[Frame],
        flows: Iterable[Flow],
        queue: int,
        *,
        guards: Sequence[Guard] = (),
        limit: float = math.inf,
        watch: Callable[[], None] | None = None,
    ) -> None:
        """Fail where a call that one of the ``guards`` makes takes more than ``limit`` seconds.

        ``watch`` is called several times a second while no frame comes, and may raise.
        """
        self._guards, self._limit, self._watch = guards, limit, watch
        self._patience: float | None = None
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._channels: list[Channel] = []
        self._threads: list[threading.Thread] = []
        stream: Iterable[Frame] = frames
        for flow in (_forward, *flows):
            channel = Channel(queue)
            self._channels.append(channel)
            self._threads.append(
                threading.Thread(
                    target=self._work, args=(flow, stream, channel), name=_NAME, daemon=True
                )
            )
            stream = channel

    def _work(self, flow: Flow, stream: Iterable[Frame], channel: Channel) -> None:
        try:
            with closing(flow(stream)) as out:
                for frame in out:
                    channel.put(frame)
            channel.end()
        except ChannelShutError:
            pass
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException | None) -> None:
        with self._lock:
            self._error = self._error or error
        for channel in self._channels:
            channel.shut()

    def __enter__(self) -> Threads:
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self._end()
            raise
        return self

    def __iter__(self) -> Iterator[Frame]:
        try:
            often = 1.0 if self._watch is None else _OFTEN
            yield from self._channels[-1].watching(min(often, self._limit), self._look)
        except ChannelShutError:
            if self._error is None:
                raise
            raise self._error from self._error.__cause__

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watch is not None and error is not None:
            self._patience = _HUNG
        if isinstance(error, KeyboardInterrupt | Terminated):
            self._patience = _ASKED_TO_END
        self._end()

    def _look(self) -> None:
        """Raise StageError where a stage does not come back, and what the watch raises."""
        if self._watch is not None:
            self._watch()
        for guard in self._guards:
            error = guard.overdue(self._limit)
            if error is not None:
                self._patience = _HUNG
                raise error

    def _end(self) -> None:
        """Shut all channels and wait for the steps that are running, where patience is bounded no
        longer than that: the threads end with the process."""
        self._fail(None)
        deadline = None if self._patience is None else time.monotonic() + self._patience
        for thread in self._threads:
            if thread.ident is not None:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                thread.join(left)


def still_working() -> bool:
    """Whether a thread of a run that has ended is in the midst of a step."""
    return any(thread.name == _NAME for thread in threading.enumerate())


def _nothing() -> None:
    return None


def run_threaded(
    frames: Iterable[Frame],
    flows: Iterable[Flow],
    queue: int,
    *,
    guards: Sequence[Guard] = (),
    limit: float = math.inf,
) -> Iterator[Frame]:
    """All frames as they leave the last flow, the work of each flow on a thread of its own.

    Raises StageError where a call of a stage, made by one of the ``guards``, takes longer than
    ``limit`` seconds: nobody can end its thread, which ends with the process.
    """
    with Threads(frames, flows, queue, guards=guards, limit=limit) as running:
        yield from running


def _forward(frames: Iterable[Frame]) -> Generator[Frame, None, None]:
    """The first thread's work: take frames from the source."""
    yield from frames


def drive_threaded(
    frames: Iterable[Frame],
    flows: Sequence[Flow],
    guards: Sequence[Guard],
    plan: Plan,
    limit: float,
) -> Threads:
    """Lead frames through flows, each on a thread of its own."""
    return Threads(frames, flows, plan.queue, guards=guards, limit=limit)
