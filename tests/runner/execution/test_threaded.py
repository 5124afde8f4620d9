"""Threads give the frames of the serial oracle, and end promptly whatever raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator

import pytest

from vidstyle.core import Frame
from vidstyle.core.errors import StageError
from vidstyle.runner.execution.serial import Flow, run_serial
from vidstyle.runner.execution.threaded import run_threaded
from vidstyle.runner.plan.guard import Guard


def frames(count: int) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(index, index, 1, {})


def passing(frames: Iterable[Frame]) -> Generator[Frame, None, None]:
    yield from frames


def holding(frames: Iterable[Frame]) -> Generator[Frame, None, None]:
    """A look-ahead of two frames."""
    waiting: list[Frame] = []
    for frame in frames:
        waiting.append(frame)
        if len(waiting) > 2:
            yield waiting.pop(0)
    yield from waiting


def raising_at(wanted: int) -> Flow:
    def flow(frames: Iterable[Frame]) -> Generator[Frame, None, None]:
        for frame in frames:
            if frame.index == wanted:
                raise StageError("filter", wanted, "planted")
            yield frame

    return flow


def indices(stream: Iterable[Frame]) -> list[int]:
    return [frame.index for frame in stream]


@pytest.mark.parametrize("queue", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_threads_give_the_serial_frames_in_order(count: int, queue: int) -> None:
    flows = [passing, holding, passing]
    serial = indices(run_serial(frames(count), flows))
    assert indices(run_threaded(frames(count), flows, queue)) == serial == list(range(count))


@pytest.mark.parametrize("frame", [0, 25, 49])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_raising_stage_ends_the_run_with_its_error(frame: int, position: int) -> None:
    flows: list[Flow] = [passing, holding, passing]
    flows.insert(position, raising_at(frame))
    started = time.perf_counter()
    with pytest.raises(StageError, match=f"stage filter, frame {frame}: planted"):
        indices(run_threaded(frames(50), flows, 2))
    assert time.perf_counter() - started < 2
    assert _our_threads() == 0


def test_a_raising_source_ends_the_run() -> None:
    def broken() -> Iterator[Frame]:
        yield from frames(3)
        raise OSError("planted")

    with pytest.raises(OSError, match="planted"):
        indices(run_threaded(broken(), [passing], 2))
    assert _our_threads() == 0


def test_a_consumer_that_stops_early_leaves_no_thread() -> None:
    stream = run_threaded(frames(10_000), [passing, passing], 1)
    next(stream)
    stream.close()
    assert _our_threads() == 0


def test_queues_are_bounded() -> None:
    seen: list[int] = []
    stream = run_threaded(_recorded(frames(1000), seen.append), [passing], 2)
    next(stream)
    time.sleep(0.1)
    assert max(seen) < 10
    stream.close()


def _recorded(stream: Iterator[Frame], note: Callable[[int], None]) -> Iterator[Frame]:
    for frame in stream:
        note(frame.index)
        yield frame


def _our_threads() -> int:
    return sum(thread.name == "vidstyle" for thread in threading.enumerate())


def test_a_stage_that_does_not_return_ends_the_run() -> None:
    guard = Guard("filter")
    released = threading.Event()

    def hanging(frames: Iterable[Frame]) -> Generator[Frame, None, None]:
        for frame in frames:
            if frame.index == 3:
                guard(3, released.wait, 30)
            yield frame

    begun = time.perf_counter()
    with pytest.raises(StageError, match=r"stage filter, frame 3: it has not returned for 0\.2 s"):
        indices(run_threaded(frames(9), [passing, hanging], 2, guards=[guard], limit=0.2))
    assert time.perf_counter() - begun < 5
    released.set()


def test_a_slow_stage_of_another_run_is_none_of_this_runs_business() -> None:
    other, released = Guard("filter"), threading.Event()
    hanging = threading.Thread(target=other, args=(0, released.wait, 30))
    hanging.start()
    try:

        def slow(frames: Iterable[Frame]) -> Generator[Frame, None, None]:
            for frame in frames:
                time.sleep(0.05)
                yield frame

        own = Guard("blend")
        assert len(list(run_threaded(frames(8), [slow], 2, guards=[own], limit=0.1))) == 8
        assert other.overdue(0.1) is not None
    finally:
        released.set()
        hanging.join()
