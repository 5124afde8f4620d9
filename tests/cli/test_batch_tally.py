"""How far a batch is, counted from its events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.runner.odd_jobs import make_job
from vidstyle.cli import batch_tally
from vidstyle.cli.batch_tally import BatchTally
from vidstyle.cli.batch_view import overall_text
from vidstyle.cli.terminal import time_text
from vidstyle.core.errors import InputError
from vidstyle.runner.batch import Looked
from vidstyle.runner.execution.events import FrameDone, Result, Resumed
from vidstyle.runner.job import Job, Outlook
from vidstyle.runner.schedule import Begun, Outcome, Progress
from vidstyle.runner.storage.made import Standing


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    job = make_job(tmp_path, "out")
    return [replace(job, input=tmp_path / name) for name in "abcd"]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is set."""
    clock = [100.0]
    monkeypatch.setattr(batch_tally.time, "perf_counter", lambda: clock[0])
    return clock


def frame(job: Job, done: int, total: int | None) -> Progress:
    return Progress(job, FrameDone(done - 1, done, total, ""))


def ended(job: Job, frames: int) -> Outcome:
    return Outcome(job, "done", Result(job.output, frames, "", 1.0, {}))


def looked(jobs: list[Job], *frames: int | None) -> Looked:
    standing = Standing(Path("out"), "absent")
    seen = [Outlook(standing, 1, "cpu", count) for count in frames]
    return Looked(jobs, [*seen, *[InputError("x")] * (len(jobs) - len(frames))])


def test_the_time_left_counts_all_frames_but_those_of_earlier_runs(
    jobs: list[Job], now: list[float]
) -> None:
    tally = BatchTally(4)
    a, b, c, d = jobs
    for event in (looked(jobs, 100, 200, None), Outcome(d, "failed"), Begun(a, 1), Begun(b, 1)):
        tally.take(event)
    assert (tally.ended, tally.frames, tally.seconds_left) == (1, 0, None)
    # The clip that does not say how many frames it has counts as the mean of the others.
    assert tally.total == 450
    tally.take(Progress(b, Resumed(90)))
    now[0] += 10
    tally.take(frame(a, 20, 100))
    tally.take(frame(b, 120, 200))
    assert (tally.frames, tally.rate) == (140, 5.0)
    assert tally.seconds_left == pytest.approx((450 - 140) / 5)
    assert overall_text(tally) == "1:02 left, 1 of 4 clips, frame 140 of 450, 5.0 fps"
    # It had fewer than it claimed.
    tally.take(ended(a, 60))
    assert (tally.ended, tally.frames, tally.total) == (2, 180, 60 + 200 + 200)
    tally.take(ended(b, 200))
    tally.take(Begun(c, 1))
    tally.take(frame(c, 300, None))
    assert tally.frames == 560
    assert tally.total == 560


def test_a_clip_that_was_done_already_counts_no_frames(jobs: list[Job], now: list[float]) -> None:
    tally = BatchTally(2)
    for event in (looked(jobs[:2], 100, 100), Outcome(jobs[0], "done already")):
        tally.take(event)
    now[0] += 1
    assert (tally.ended, tally.frames, tally.total, tally.rate) == (1, 0, 100, 0.0)


def test_a_second_attempt_begins_from_the_start(jobs: list[Job], now: list[float]) -> None:
    tally = BatchTally(1)
    for event in (looked(jobs[:1], 10), Begun(jobs[0], 1), frame(jobs[0], 5, 10)):
        tally.take(event)
    assert tally.frames == 5
    tally.take(Begun(jobs[0], 2))
    assert tally.frames == 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (9, "0:09"), (750, "12:30"), (11100, "3:05:00")]
)
def test_times_are_short(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
