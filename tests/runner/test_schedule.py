"""What the end of a clip means for the batch, with a pool that ends jobs as it is asked to."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import pytest

from tests.runner.odd_jobs import make_job
from vidstyle.core.errors import CrashError, InputError, LockedError, NoMemoryError, OutputError
from vidstyle.core.stop import StopRequest
from vidstyle.runner.execution.events import Result
from vidstyle.runner.job import Job, Outlook
from vidstyle.runner.pool import Report
from vidstyle.runner.schedule import Begun, Outcome, Rule, Schedule, intend
from vidstyle.runner.storage.made import Standing, State
from vidstyle.runner.worker import Ended

BUDGET = 100
STOPPED = Exception("the script says that it was stopped")
DONE = Result(Path("out"), 1, "", 0.0, {})


class ScriptedPool:
    """Two jobs at a time; each ends as the next of its script says."""

    def __init__(self, scripts: dict[int, list[BaseException | None]]) -> None:
        self._scripts = {number: deque(script) for number, script in scripts.items()}
        self._running: dict[int, int] = {}
        self.begun: list[tuple[int, int, bool]] = []
        """Ticket, how many ran beside it, and whether it may replace outputs of ours."""
        self.asked = 0

    def __enter__(self) -> ScriptedPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def takes(self, memory: int) -> bool:
        used = sum(self._running.values())
        return not used or (used + memory <= BUDGET and len(self._running) < 2)

    def begin(self, ticket: int, job: Job, memory: int, *, left: int) -> None:
        assert self.takes(memory)
        assert left > len(self._running)
        self.begun.append((ticket, len(self._running), job.redo))
        self._running[ticket] = memory

    def reports(self) -> Sequence[Report]:
        if not self._running:
            return []
        ticket = next(iter(self._running))
        del self._running[ticket]
        error = self._scripts[ticket].popleft()
        if error is STOPPED:
            return [Report(ticket, Ended())]
        return [Report(ticket, Ended(result=None if error else DONE, error=error))]

    def ask_to_stop(self) -> None:
        self.asked += 1


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return make_job(tmp_path, "out")


def outlook(job: Job, *, memory: int = 10) -> Outlook:
    return Outlook(Standing(job.output, "absent"), memory, "cpu", 12)


def run_scripts(
    job: Job, *scripts: list[BaseException | None], retries: int = 1, memory: int = 10
) -> tuple[ScriptedPool, dict[int, Outcome]]:
    """Outcomes by number, of as many copies of a job as there are scripts."""
    jobs = [job for _ in scripts]
    outlooks = [outlook(job, memory=memory) for _ in scripts]
    schedule = Schedule(jobs, outlooks, "refuse", retries, BUDGET)
    assert list(schedule.without_run()) == []
    pool = ScriptedPool(dict(enumerate(scripts)))
    found: list[Outcome] = []
    for event in schedule.run(pool, lambda _: None, StopRequest()):
        if isinstance(event, Outcome):
            found.append(event)
    return pool, dict(enumerate(found))


@pytest.mark.parametrize("error", [CrashError("x"), NoMemoryError("x")])
def test_what_may_have_been_the_others_fault_is_tried_again_by_itself(
    job: Job, error: Exception
) -> None:
    pool, found = run_scripts(job, [error, None], [None], [None])
    assert [number for number, _, _ in pool.begun] == [0, 1, 2, 0]
    assert pool.begun[-1][1] == 0
    assert [each.state for each in found.values()] == ["done"] * 3
    assert found[2].attempts == 2
    _, found = run_scripts(job, [error] * 4, retries=3)
    assert (found[0].state, found[0].attempts, found[0].error) == ("failed", 4, error)


@pytest.mark.parametrize("error", [InputError("x"), OutputError("x"), ValueError("x")])
def test_what_will_fail_again_is_not_tried_again(job: Job, error: Exception) -> None:
    _, found = run_scripts(job, [error], [None])
    assert [each.state for each in found.values()] == ["failed", "done"]
    assert found[0].attempts == 1


def test_a_bug_in_one_clip_is_named_and_stops_no_other(job: Job) -> None:
    _, found = run_scripts(job, [ValueError("odd")], [None])
    assert str(found[0].error) == "this is a bug in vidstyle: ValueError: odd"


def test_a_clip_whose_folder_cannot_be_made_fails_alone(job: Job, tmp_path: Path) -> None:
    def make_folder(folder: Path) -> None:
        if folder.name == "no":
            raise OutputError("cannot make it")

    jobs = [replace(job, output=tmp_path / name / "x.mp4") for name in ("a", "no", "c")]
    schedule = Schedule(jobs, [outlook(each) for each in jobs], "refuse", 1, BUDGET)
    assert list(schedule.without_run()) == []
    pool = ScriptedPool({0: [None], 2: [None]})
    events = schedule.run(pool, make_folder, StopRequest())
    found = {each.job.output.parent.name: each for each in events if isinstance(each, Outcome)}
    assert {name: each.state for name, each in found.items()} == {
        "a": "done",
        "no": "failed",
        "c": "done",
    }
    assert (found["no"].stage, found["no"].attempts) == (jobs[1].pipeline.stages[-1].name, 0)


@pytest.mark.parametrize(
    ("state", "found", "wanted"),
    [
        # What refuse, redo, keep and overwrite do with it.
        ("absent", (), ("make", "make", "make", "make")),
        ("done", (), ("leave", "leave", "leave", "make again")),
        ("other", ("strength was 1, is 2",), ("refuse", "make again", "keep", "make again")),
        ("other", ("the source was changed",), ("make again", "make again", "keep", "make again")),
        ("foreign", (), ("refuse", "refuse", "keep", "make again")),
    ],
)
def test_the_rule_says_what_becomes_of_an_output(
    job: Job, state: State, found: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    standing = Standing(job.output, state, found, entry=object())  # type: ignore[arg-type]  # any
    rules: tuple[Rule, ...] = ("refuse", "redo", "keep", "overwrite")
    assert tuple(intend(standing, rule) for rule in rules) == wanted


def test_a_locked_clip_is_looked_at_again_when_all_others_are_done(job: Job) -> None:
    locked = LockedError("x")
    pool, found = run_scripts(job, [locked, None], [None], [None], [None])
    assert [number for number, _, _ in pool.begun] == [0, 1, 2, 3, 0]
    assert [each.state for each in found.values()] == ["done"] * 4
    # To look again is no other attempt.
    assert {each.attempts for each in found.values()} == {1}
    _, found = run_scripts(job, [locked, locked], [None])
    assert [each.state for each in found.values()] == ["done", "elsewhere"]


def test_an_output_that_another_has_made_meanwhile_is_looked_at_again(job: Job) -> None:
    job.output.write_text("of another process")
    exists = OutputError("exists")
    pool, found = run_scripts(job, [exists, None])
    assert len(pool.begun) == 2
    assert found[0].state == "done"
    # It was made with other options.
    _, found = run_scripts(job, [exists, exists])
    assert found[0].state == "failed"


def test_a_source_that_was_replaced_is_no_reason_to_ask(job: Job) -> None:
    older = Standing(job.output, "other", ("the source was changed",), entry=object())  # type: ignore[arg-type]  # any
    schedule = Schedule([job], [Outlook(older, 10, "cpu", 12)], "refuse", 0, BUDGET)
    assert list(schedule.without_run()) == []
    pool = ScriptedPool({0: [None]})
    assert len(list(schedule.run(pool, lambda _: None, StopRequest()))) == 2
    assert pool.begun == [(0, 0, True)]


def test_a_stop_begins_no_more_and_waits_for_those_that_run(job: Job) -> None:
    stop, begun = StopRequest(), 0
    schedule = Schedule([job] * 5, [outlook(job)] * 5, "refuse", 0, BUDGET)
    assert list(schedule.without_run()) == []
    pool = ScriptedPool({number: [None] for number in range(5)})
    with pytest.raises(KeyboardInterrupt):
        for event in schedule.run(pool, lambda _: None, stop):
            begun += isinstance(event, Begun)
            if begun == 2:
                stop.reason = KeyboardInterrupt()
    assert begun == 2
    assert pool.asked >= 1


def test_clips_that_were_stopped_end_the_batch_by_the_reason_for_it(job: Job) -> None:
    stop = StopRequest()
    schedule = Schedule([job] * 2, [outlook(job)] * 2, "refuse", 0, BUDGET)
    assert list(schedule.without_run()) == []
    pool = ScriptedPool({0: [STOPPED], 1: [STOPPED]})
    with pytest.raises(KeyboardInterrupt):
        for event in schedule.run(pool, lambda _: None, stop):
            assert not isinstance(event, Outcome)
            stop.reason = KeyboardInterrupt()


def test_a_process_that_somebody_else_stopped_begins_its_clip_again(job: Job) -> None:
    pool, found = run_scripts(job, [STOPPED, None])
    assert len(pool.begun) == 2
    assert found[0].state == "done"
