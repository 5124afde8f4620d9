"""One at a time, a few behind it, and each can be stopped."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.conftest import clip_choices
from vidstyle.app.job_queue import BusyError, JobQueue, PageJob
from vidstyle.app.tasks import Command, Commands, Task, clip_task
from vidstyle.core.errors import OutputError


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def bad_clip(folder: Path, clip: Path | None = None) -> Task:
    """Fails at once."""
    (folder / "original").write_text("no clip")
    return clip_task(folder, clip_choices(clip or folder / "original"))


@pytest.fixture
def long_clip(tmp_path: Path) -> Callable[[], Task]:
    """Work for some seconds."""
    clip = Path(__file__).parents[2] / "samples" / "demo.mp4"

    def task() -> Task:
        folder = tmp_path / str(time.monotonic_ns())
        folder.mkdir()
        return clip_task(folder, clip_choices(clip, "scream"))

    return task


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def states(jobs: list[PageJob]) -> list[str]:
    return [job.status.state for job in jobs]


@pytest.mark.slow
def test_a_failed_job_says_why_and_the_next_one_starts(
    jobs: JobQueue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Lines of a command on standard error are in the log of --debug.
    caplog.set_level(logging.DEBUG, "vidstyle.app.job_queue")
    two = [jobs.submit(bad_clip(tmp_path)) for _ in range(2)]
    until(lambda: all(job.ended.is_set() for job in two))
    assert states(two) == ["failed", "failed"]
    assert two[0].status.error.startswith(f"{tmp_path / 'original'}: ")
    assert caplog.messages[0].startswith(f"vidstyle: {tmp_path / 'original'}: ")


@pytest.mark.slow
def test_stopping_ends_the_process_and_the_next_one_begins(
    jobs: JobQueue, long_clip: Callable[[], Task]
) -> None:
    first, second, third = (jobs.submit(long_clip()) for _ in range(3))
    until(lambda: first.status.done)
    assert [jobs.position(job) for job in (first, second, third)] == [0, 1, 2]
    process = jobs.pid
    assert process
    jobs.stop(second)
    jobs.stop(first)
    assert not is_alive(process)
    until(lambda: third.status.state == "running")
    assert states([first, second]) == ["stopped", "stopped"]


def test_too_many_are_refused(long_clip: Callable[[], Task]) -> None:
    queue = JobQueue(most_waiting=2)
    running = queue.submit(long_clip())
    until(lambda: running.status.state == "running")
    waiting = [queue.submit(long_clip()) for _ in range(2)]
    with pytest.raises(BusyError, match="busy: 2 jobs are waiting"):
        queue.submit(long_clip())
    queue.close()
    assert states([running, *waiting]) == ["stopped"] * 3


def test_a_process_that_is_killed_is_a_failure(
    jobs: JobQueue, long_clip: Callable[[], Task]
) -> None:
    job = jobs.submit(long_clip())
    until(lambda: jobs.pid)
    assert jobs.pid
    os.kill(jobs.pid, 9)
    until(job.ended.is_set)
    assert job.status.state == "failed"
    assert "the system ended the command (SIGKILL)" in job.status.error


def test_closing_leaves_no_process(long_clip: Callable[[], Task]) -> None:
    queue = JobQueue(most_waiting=2)
    job = queue.submit(long_clip())
    until(lambda: queue.pid)
    process = queue.pid
    assert process
    queue.close()
    assert not is_alive(process)
    assert job.status.state == "stopped"


def test_stopping_between_two_commands_starts_no_other(jobs: JobQueue, tmp_path: Path) -> None:
    reached, stopped = threading.Event(), threading.Event()

    def commands() -> Commands:
        yield Command("first", ("pipelines", "list"))
        reached.set()
        stopped.wait(60)
        yield Command("second", ("pipelines", "list"))

    job = jobs.submit(replace(bad_clip(tmp_path), commands=commands))
    assert reached.wait(60)
    threading.Timer(0.2, stopped.set).start()
    jobs.stop(job)
    assert (job.status.state, job.status.title) == ("stopped", "first")


def test_an_error_before_a_command_is_a_failure(jobs: JobQueue, tmp_path: Path) -> None:
    def commands() -> Commands:
        raise OutputError("no room")
        yield

    job = jobs.submit(replace(bad_clip(tmp_path), commands=commands))
    job.ended.wait()
    assert (job.status.state, job.status.error) == ("failed", "no room")
