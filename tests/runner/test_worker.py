"""A job that kills its process fails alone; others are those of a run in this process."""

from __future__ import annotations

from pathlib import Path

from tests.runner.odd_jobs import make_job
from vidstyle.core.errors import CrashError, InputError, StageError
from vidstyle.runner.execution.events import Event, FrameDone, Kept, Planned
from vidstyle.runner.job import Job, run
from vidstyle.runner.worker import Ended, Message, Worker


def messages_of(worker: Worker, job: Job) -> list[Message]:
    """All that a worker says of a job."""
    worker.begin(job)
    found: list[Message] = []
    while not (found and isinstance(found[-1], Ended)):
        found.append(worker.receive())
    return found


def end_of(worker: Worker, job: Job) -> Ended:
    last = messages_of(worker, job)[-1]
    assert isinstance(last, Ended)
    return last


def test_a_job_in_a_process_gives_the_frames_and_events_of_a_run(tmp_path: Path) -> None:
    here = run(make_job(tmp_path, "here"))
    worker = Worker()
    events = messages_of(worker, make_job(tmp_path, "there"))
    process = worker._process
    assert process is not None
    events += messages_of(worker, make_job(tmp_path, "again"))
    # One process for all of them, which then ends by itself.
    assert worker._process is process
    worker.end(at_once=False)
    assert process.exitcode == 0
    results = [event.result for event in events if isinstance(event, Ended)]
    assert [each.digest for each in results if each is not None] == [here.digest] * 2
    assert sum(isinstance(event, FrameDone) for event in events) == 24
    assert sum(isinstance(event, Planned) for event in events) == 2


def test_what_kills_the_process_is_the_failure_of_one_job(tmp_path: Path) -> None:
    worker = Worker()
    for _ in range(2):
        error = end_of(worker, make_job(tmp_path, "bad", deed="abort")).error
        assert isinstance(error, CrashError)
        assert "ended by SIGABRT: a library crashed" in str(error)
        assert not worker.alive
        good = end_of(worker, make_job(tmp_path, "good")).result
        assert good is not None
        assert good.frames == 12
        (tmp_path / "good.mkv").unlink()
    worker.end(at_once=False)
    assert not (tmp_path / "bad.mkv").exists()


def test_errors_arrive_as_they_are(tmp_path: Path) -> None:
    worker = Worker()
    error = end_of(worker, make_job(tmp_path, "bad", deed="raise")).error
    assert isinstance(error, StageError)
    assert "an odd image" in str(error)
    assert (error.stage, error.frame) == ("filter", 0)
    wanted = make_job(tmp_path, "out")
    wanted.input.write_text("no video")
    assert isinstance(end_of(worker, wanted).error, InputError)
    worker.end(at_once=False)


def test_a_process_with_a_stage_that_does_not_come_back_is_replaced(tmp_path: Path) -> None:
    worker = Worker()
    slow = make_job(tmp_path, "slow", delay=60, timeout=0.5)
    error = end_of(worker, slow).error
    assert isinstance(error, StageError)
    assert "--timeout" in str(error)
    assert not worker.alive
    assert end_of(worker, make_job(tmp_path, "good")).result is not None
    worker.end(at_once=False)


def test_a_look_writes_nothing(tmp_path: Path) -> None:
    worker, wanted = Worker(), make_job(tmp_path, "out")
    worker.begin(wanted, "look")
    seen = worker.receive()
    assert isinstance(seen, Ended)
    assert seen.outlook is not None
    assert (seen.outlook.frames, seen.outlook.standing.state) == (12, "absent")
    assert not (tmp_path / ".vidstyle").exists()
    worker.end(at_once=False)


def test_a_stop_stores_what_is_finished(tmp_path: Path) -> None:
    wanted, worker = make_job(tmp_path, "out", delay=0.1), Worker()
    events: list[Event] = []
    worker.begin(wanted)
    while not isinstance(message := worker.receive(), Ended):
        events.append(message)
        if isinstance(message, FrameDone) and message.done == 3:
            worker.ask_to_stop()
    assert message == Ended()
    (kept,) = (event.frames for event in events if isinstance(event, Kept))
    assert kept == sum(isinstance(event, FrameDone) for event in events) >= 3
    worker.end(at_once=False)
    assert run(wanted).frames == 12


def test_a_process_that_nobody_waits_for_ends_in_the_midst_of_a_job(tmp_path: Path) -> None:
    wanted, worker = make_job(tmp_path, "out", delay=0.5), Worker()
    worker.begin(wanted)
    assert not isinstance(worker.receive(), Ended)
    process, connection = worker._process, worker._connection
    assert process is not None
    assert connection is not None
    # As the system does where the parent is killed.
    connection.close()
    process.join(10)
    assert process.exitcode == 0
    assert not wanted.output.exists()
