"""Units of a clip, each in a process of its own, give what the serial run gives."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core import Needs
from vidstyle.core.clip import Note
from vidstyle.core.plan import Plan
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.chunks import EncodedChunk
from vidstyle.runner.execution.computation import Compute, Remaining, compute_in_turn
from vidstyle.runner.execution.events import Event, FrameDone, Result, Resumed
from vidstyle.runner.execution.execute import execute
from vidstyle.runner.execution.recorder import Recorder
from vidstyle.runner.execution.units import AllUnits, at_unit, can_be_cut, find_units, unit_works
from vidstyle.runner.execution.work import Work, WorkSegment, run_work
from vidstyle.runner.job import Job, prepared, run
from vidstyle.runner.storage.chunk_rows import chunk_rows
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.stored import UnitStart

COUNT, CUTS = 40, (7, 9, 20, 31)
PIPELINE = """\
version: 1
chunk: {least: 5, most: 8}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
    directions: both
  - use: blend/warped
    anchors: [2]
    look_ahead: 0.4
    strength: {at: {0s: 0.2, 1s: 0.9}}
  - use: encode/pyav
    codec: libx264
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images that move, with cuts, B-frames and unequal times."""
    path = tmp_path_factory.mktemp("units") / "in.mkv"
    rng = np.random.default_rng(0)
    textures = [rng.integers(0, 255, (60, 120, 3), np.uint8) for _ in range(len(CUTS) + 1)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        moment = 0
        for index in range(COUNT):
            texture = textures[sum(index >= cut for cut in CUTS)]
            image = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(texture[6:54, index : index + 64]), "rgb24"
            )
            image.pts = moment
            moment += 1 if index % 3 else 2
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def job(clip: Path, folder: Path, name: str, frames: tuple[int, int | None] = (0, None)) -> Job:
    (folder / "p.yaml").write_text(PIPELINE)
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry())
    return Job(pipeline, clip, folder / f"{name}.mkv", frames=frames)


def plan_of(wanted: Job) -> Plan:
    with prepared(wanted) as (_, plan):
        return plan


def found_units(plan: Plan, work: Work) -> tuple[list[UnitStart], int]:
    *starts, last = find_units(plan, work)
    assert isinstance(last, AllUnits)
    return [start for start in starts if isinstance(start, UnitStart)], last.chunks


def chunks_of(segments: Sequence[WorkSegment]) -> list[EncodedChunk]:
    return [chunk for segment in segments for chunk in segment.chunks]


# Chunks of the whole clip begin at 0, 7, 15 (no cut), 20, 28 (no cut), 36 (no cut).
@pytest.mark.parametrize(
    ("frames", "wanted"),
    [
        ((0, None), [7, 20]),
        pytest.param((8, 36), [31], marks=pytest.mark.slow),
        pytest.param((7, 20), [], marks=pytest.mark.slow),
        pytest.param((0, 20), [7], marks=pytest.mark.slow),
    ],
)
def test_units_in_processes_of_their_own_are_the_serial_run(
    clip: Path, tmp_path: Path, frames: tuple[int, int | None], wanted: list[int]
) -> None:
    plan, work = plan_of(job(clip, tmp_path, "out", frames)), Work(clip)
    whole = run_work(plan, work)
    units, count = found_units(plan, work)
    assert [unit.first for unit in units] == wanted
    assert count == len(whole.chunks)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        works = list(unit_works([work], units))
        segments = list(pool.map(run_work, [plan] * len(works), works))
    assert chunks_of(segments) == list(whole.chunks)
    assert {segment.start for segment in segments} == {whole.start}


@pytest.mark.parametrize("start", ["beginning", "middle"])
def test_where_frames_are_separate_every_chunk_is_a_unit(
    clip: Path, tmp_path: Path, start: str
) -> None:
    wanted = job(clip, tmp_path, "out")
    plan = plan_of(wanted)
    plan, work = replace(plan, stages=()), Work(clip)
    whole = run_work(plan, work)
    assert can_be_cut(plan)
    if start == "middle":
        # Without a stage of kind shots chunks end at the limit.
        work = replace(work, start=run_work(plan, replace(work, stop=8)).next, chunk=1)
    units, count = found_units(plan, work)
    assert [unit.first for unit in units] == [8, 16, 24, 32][work.chunk :]
    assert count == len(whole.chunks)
    segments = [run_work(plan, each) for each in unit_works([work], units)]
    assert chunks_of(segments) == list(whole.chunks[work.chunk :])


def test_units_are_found_from_any_chunk_on(clip: Path, tmp_path: Path) -> None:
    plan, work = plan_of(job(clip, tmp_path, "out")), Work(clip)
    units, count = found_units(plan, work)
    for stop, chunk, rest in [(7, 1, units[1:]), (15, 2, units[1:]), (28, 4, [])]:
        segment = run_work(plan, replace(work, stop=stop))
        resumed = replace(work, start=segment.next, chunk=chunk)
        assert found_units(plan, resumed) == (rest, count)
    assert found_units(plan, at_unit(work, units[0])) == (units[1:], count)


def test_what_is_carried_over_a_cut_is_not_cut(clip: Path, tmp_path: Path) -> None:
    plan = plan_of(job(clip, tmp_path, "out"))
    assert can_be_cut(plan)
    shots, *others = plan.stages
    remembers = replace(shots, needs=Needs(writes=("cut",), scope="clip"))
    separate = replace(others[0], needs=Needs(writes=("image",)))
    assert can_be_cut(replace(plan, stages=(shots, separate)))
    for stages in (
        others,
        [remembers, separate],
        [remembers, *others],
        [shots, replace(others[0], needs=remembers.needs)],
    ):
        assert not can_be_cut(replace(plan, stages=tuple(stages)))


class Units:
    """Computes units here, the later first, and stops after so many."""

    def __init__(self, limit: int, plan: Plan, remaining: Remaining) -> None:
        self._limit, self._plan, self._remaining = limit, plan, remaining
        self.start = Fraction(0)
        self.notes: tuple[Note, ...] = ()
        self.seconds: dict[str, float] = {}

    def record(self, recorder: Recorder) -> None:
        units = list(self._remaining.units)
        if not self._remaining.planned:
            units, count = found_units(self._plan, self._remaining.works[-1])
            for unit in units:
                recorder.record_start(unit)
            recorder.record_planned(count)
        images = list(self._remaining.images)
        for work in reversed(list(unit_works(self._remaining.works, units))):
            if not self._limit:
                raise StoppedError
            self._limit -= 1
            first = work.chunk == self._remaining.works[0].chunk
            segment = run_work(self._plan, work, replay=images if first else ())
            for chunk in segment.chunks:
                recorder.record_chunk(
                    chunk_rows(chunk.number, chunk.header, chunk.records, chunk.stored)
                )
            recorder.record_clock(segment.start)
            self.start = segment.start


class StoppedError(Exception):
    """What a kill is to a run."""


def compute_units(limit: int) -> Compute:
    @contextmanager
    def compute(plan: Plan, remaining: Remaining) -> Iterator[Units]:
        yield Units(limit, plan, remaining)

    return compute


def computed(
    wanted: Job, compute: Compute, listen: Callable[[Event], None] | None = None
) -> Result | None:
    with prepared(wanted) as (assembly, plan):
        try:
            return execute(
                assembly,
                plan,
                Destination(wanted.output),
                original=wanted.input,
                compute=compute,
                listen=listen or (lambda _: None),
            )
        except StoppedError:
            return None


def stop_after(frames: int) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, FrameDone) and event.done == frames:
            raise StoppedError

    return listen


@pytest.mark.parametrize("frames", [(0, None), (3, 38)])
@pytest.mark.parametrize("done", [1, 2])
def test_a_run_begun_as_units_is_resumed_in_turn(
    clip: Path, tmp_path: Path, done: int, frames: tuple[int, int | None]
) -> None:
    whole = run(replace(job(clip, tmp_path, "whole", frames), engine="serial"))
    wanted = job(clip, tmp_path, "out", frames)
    events: list[Event] = []
    assert computed(wanted, compute_units(done)) is None
    again = run(wanted, listen=events.append)
    (kept,) = [event.frames for event in events if isinstance(event, Resumed)]
    new = [event.index for event in events if isinstance(event, FrameDone)]
    # The later units were done: those are used, and no frame of them is computed again.
    assert 0 < kept == whole.frames - len(new)
    assert new == list(range(frames[0], frames[0] + len(new)))
    assert again.digest == whole.digest
    assert wanted.output.read_bytes()[-2000:] == (tmp_path / "whole.mkv").read_bytes()[-2000:]


@pytest.mark.parametrize("stopped", [3, 7, 10, 15, 23, 39])
def test_a_run_begun_in_turn_is_resumed_as_units(clip: Path, tmp_path: Path, stopped: int) -> None:
    whole = run(replace(job(clip, tmp_path, "whole"), engine="serial"))
    wanted = job(clip, tmp_path, "out")
    in_turn = compute_in_turn("serial")
    # Back and forth: as units, in turn again, and the rest as units.
    result = (
        computed(wanted, in_turn, stop_after(stopped))
        or computed(wanted, compute_units(1))
        or computed(wanted, in_turn, stop_after(COUNT - 1))
        or computed(wanted, compute_units(9))
    )
    assert result is not None
    assert result.digest == whole.digest
