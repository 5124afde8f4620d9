"""Threads give the frames of the serial oracle, and end promptly whatever raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from fractions import Fraction

import pytest

from vidstyle.core.errors import StageError
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.parcel import Parcel
from vidstyle.runner.execution.serial import Flow, run_serial
from vidstyle.runner.execution.threaded import run_threaded


def parcels(count: int) -> Iterator[Parcel]:
    for index in range(count):
        yield Parcel(index, index, 1, Fraction(index), {})


def passing(parcels: Iterable[Parcel]) -> Generator[Parcel, None, None]:
    yield from parcels


def holding(parcels: Iterable[Parcel]) -> Generator[Parcel, None, None]:
    """A look-ahead of two frames."""
    held: list[Parcel] = []
    for parcel in parcels:
        held.append(parcel)
        if len(held) > 2:
            yield held.pop(0)
    yield from held


def raising_at(wanted: int) -> Flow:
    def flow(parcels: Iterable[Parcel]) -> Generator[Parcel, None, None]:
        for parcel in parcels:
            if parcel.index == wanted:
                raise StageError("filter", wanted, "planted")
            yield parcel

    return flow


def indices(stream: Iterable[Parcel]) -> list[int]:
    return [parcel.index for parcel in stream]


@pytest.mark.parametrize("queue", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_threads_give_the_serial_frames_in_order(count: int, queue: int) -> None:
    flows = [passing, holding, passing]
    serial = indices(run_serial(parcels(count), flows))
    assert indices(run_threaded(parcels(count), flows, queue)) == serial == list(range(count))


@pytest.mark.parametrize("frame", [0, 25, 49])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_raising_stage_ends_the_run_with_its_error(frame: int, position: int) -> None:
    flows: list[Flow] = [passing, holding, passing]
    flows.insert(position, raising_at(frame))
    started = time.perf_counter()
    with pytest.raises(StageError, match=f"stage filter, frame {frame}: planted"):
        indices(run_threaded(parcels(50), flows, 2))
    assert time.perf_counter() - started < 2
    assert _our_threads() == 0


def test_a_raising_source_ends_the_run() -> None:
    def broken() -> Iterator[Parcel]:
        yield from parcels(3)
        raise OSError("planted")

    with pytest.raises(OSError, match="planted"):
        indices(run_threaded(broken(), [passing], 2))
    assert _our_threads() == 0


def test_a_consumer_that_stops_early_leaves_no_thread() -> None:
    stream = run_threaded(parcels(10_000), [passing, passing], 1)
    next(stream)
    stream.close()
    assert _our_threads() == 0


def test_queues_are_bounded() -> None:
    seen: list[int] = []
    stream = run_threaded(_recorded(parcels(1000), seen.append), [passing], 2)
    next(stream)
    time.sleep(0.1)
    assert max(seen) < 10
    stream.close()


def _recorded(stream: Iterator[Parcel], note: Callable[[int], None]) -> Iterator[Parcel]:
    for parcel in stream:
        note(parcel.index)
        yield parcel


def _our_threads() -> int:
    return sum(thread.name == "vidstyle" for thread in threading.enumerate())


def test_a_stage_that_does_not_come_back_ends_the_run() -> None:
    released = threading.Event()

    def hanging(parcels: Iterable[Parcel]) -> Generator[Parcel, None, None]:
        for parcel in parcels:
            if parcel.index == 3:
                guarded("filter", 3, lambda: released.wait(30))
            yield parcel

    begun = time.perf_counter()
    with pytest.raises(StageError, match=r"stage filter, frame 3: it has not come back for 0\.2 s"):
        indices(run_threaded(parcels(9), [passing, hanging], 2, limit=0.2))
    assert time.perf_counter() - begun < 5
    released.set()
