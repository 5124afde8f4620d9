"""Which clip of a batch begins when, and what its end means."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Literal, TypeAlias

from vidstyle.core.errors import (
    CrashError,
    InputError,
    LockedError,
    NoMemoryError,
    OutputError,
    StageError,
    VidstyleError,
)
from vidstyle.core.stop import StopRequest
from vidstyle.runner.config.plugin_lines import describe_error, plugin_error
from vidstyle.runner.execution.events import AlreadyDone, Event, Result
from vidstyle.runner.job import Job, Outlook
from vidstyle.runner.pool import Pool
from vidstyle.runner.storage.made import Standing
from vidstyle.runner.worker import Ended

Rule: TypeAlias = Literal["refuse", "redo", "keep", "overwrite"]
"""What becomes of outputs that are there: those with another stamp are refused, made again, or
kept; ``overwrite`` makes all again, also those that are not ours."""

State: TypeAlias = Literal["done", "done already", "kept", "elsewhere", "failed"]
"""``kept``: with other options; ``elsewhere``: another process is making it."""


Intention: TypeAlias = Literal["make", "make again", "leave", "keep", "refuse"]
"""``leave``: it is done already; ``keep``: it was made otherwise, and stays."""


def intend(standing: Standing, rule: Rule) -> Intention:
    """What is to become of an output by the rule."""
    if standing.state == "absent":
        return "make"
    if rule == "overwrite":
        return "make again"
    if standing.state == "done":
        return "leave"
    if rule == "keep":
        return "keep"
    ours = standing.state == "other"
    return "make again" if ours and (rule == "redo" or standing.source_alone) else "refuse"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one clip of a batch ended."""

    job: Job
    state: State
    result: Result | None = None
    error: VidstyleError | None = None
    standing: Standing | None = None
    """Of an output that was there already."""
    stage: str | None = None
    """Name of the stage that failed, where one did."""
    attempts: int = 0
    """How often the clip was begun."""
    seconds: float = 0.0
    """That the last attempt took."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A clip begins, for the first time or once more."""

    job: Job
    attempt: int
    because: VidstyleError | None = None
    """Why the attempt before it failed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An event of a clip that runs."""

    job: Job
    event: Event


@dataclass(slots=True)
class _Attempt:
    """A clip that waits or runs."""

    number: int
    memory: int
    count: int = 0
    began: float = 0.0
    error: VidstyleError | None = None
    """Why the one before failed."""
    found_done: bool = False
    """Whether its output turned out to be there."""


@dataclass(slots=True)
class Schedule:
    """The clips of a batch that wait, that run, and that others seem to run."""

    jobs: Sequence[Job]
    outlooks: Sequence[Outlook | VidstyleError]
    """Of each job, or why it cannot be opened."""
    rule: Rule
    retries: int
    budget: int
    """Bytes for all that run."""
    _waiting: deque[_Attempt] = field(default_factory=deque)
    _running: dict[int, _Attempt] = field(default_factory=dict)
    _locked: list[_Attempt] = field(default_factory=list)
    _stopped: list[_Attempt] = field(default_factory=list)

    def without_run(self) -> Iterator[Outcome]:
        """The outcomes of clips that need not run, or cannot; the others wait then."""
        for number, (job, seen) in enumerate(zip(self.jobs, self.outlooks, strict=True)):
            if isinstance(seen, VidstyleError):
                yield _failure(job, seen, 0, 0.0)
                continue
            match intend(seen.standing, self.rule):
                case "leave":
                    yield Outcome(job, "done already", standing=seen.standing)
                case "keep":
                    yield Outcome(job, "kept", standing=seen.standing)
                case _:
                    self._waiting.append(_Attempt(number, seen.memory))

    def run(
        self, pool: Pool, make_folder: Callable[[Path], None], stop: StopRequest
    ) -> Iterator[Begun | Progress | Outcome]:
        """Run all that wait. Raises the reason of a stop once nothing runs.

        ``make_folder`` raises OutputError where it cannot make one: a clip of that folder fails.
        """
        again = False
        while self._waiting or self._running or self._locked:
            if stop.reason is not None:
                if not self._running:
                    break
                pool.ask_to_stop()
            elif not (self._waiting or self._running):
                # Whoever makes these has had all the time that the others took.
                self._waiting, self._locked, again = deque(self._locked), [], True
            while stop.reason is None and self._waiting and pool.takes(self._waiting[0].memory):
                try:
                    make_folder(self.jobs[self._waiting[0].number].output.parent)
                except OutputError as error:
                    attempt = self._waiting.popleft()
                    yield _failure(self.jobs[attempt.number], error, attempt.count, 0.0)
                else:
                    yield self._begin(pool)
            for report in pool.reports():
                if isinstance(report.message, Ended):
                    yield from self._ended(report.ticket, report.message, again=again)
                else:
                    if isinstance(report.message, AlreadyDone):
                        self._running[report.ticket].found_done = True
                    yield Progress(self.jobs[report.ticket], report.message)
            if self._stopped and stop.reason is None:
                # Somebody has asked its process alone, with a signal.
                self._waiting += self._stopped
                self._stopped = []
        if self._stopped or self._waiting or self._locked:
            stop.check()

    def _begin(self, pool: Pool) -> Begun:
        attempt = self._waiting.popleft()
        job, outlook = self.jobs[attempt.number], self.outlooks[attempt.number]
        replaced = isinstance(outlook, Outlook) and outlook.standing.source_alone
        wanted = replace(
            job, overwrite=self.rule == "overwrite", redo=self.rule == "redo" or replaced
        )
        left = len(self._waiting) + len(self._running) + 1
        attempt.count += 1
        attempt.began = perf_counter()
        self._running[attempt.number] = attempt
        pool.begin(attempt.number, wanted, attempt.memory, left=left)
        return Begun(job, attempt.count, attempt.error)

    def _ended(self, number: int, ended: Ended, *, again: bool) -> Iterator[Outcome]:
        """The outcome of a clip; none where it is to be tried again, or was stopped."""
        attempt, job = self._running.pop(number), self.jobs[number]
        seconds = perf_counter() - attempt.began
        if ended.result is not None:
            state: State = "done already" if attempt.found_done else "done"
            yield Outcome(job, state, ended.result, attempts=attempt.count, seconds=seconds)
        elif ended.error is not None:
            error = attempt.error = reportable(ended.error)
            if again and isinstance(error, LockedError):
                yield Outcome(job, "elsewhere", error=error, attempts=attempt.count)
            elif not again and self._is_elsewhere(number, error):
                # To look again is no other attempt.
                attempt.count, attempt.error = attempt.count - 1, None
                self._locked.append(attempt)
            elif isinstance(error, CrashError | NoMemoryError) and attempt.count <= self.retries:
                # Alone: memory may have been short because of the others.
                attempt.memory = self.budget
                self._waiting.append(attempt)
            else:
                yield _failure(job, error, attempt.count, seconds)
        else:
            self._stopped.append(attempt)

    def _is_elsewhere(self, number: int, error: VidstyleError) -> bool:
        """Whether another process is making the output, or has since it was looked at."""
        if isinstance(error, LockedError):
            return True
        outlook = self.outlooks[number]
        absent = isinstance(outlook, Outlook) and outlook.standing.state == "absent"
        return absent and isinstance(error, OutputError) and self.jobs[number].output.exists()


def reportable(error: BaseException) -> VidstyleError:
    """The error, as one that a user can meet: a bug that one clip meets stops no other."""
    if isinstance(error, VidstyleError):
        return error
    return plugin_error(error) or VidstyleError(
        f"this is a bug in vidstyle: {describe_error(error)}"
    )


def _failure(job: Job, error: VidstyleError, attempts: int, seconds: float) -> Outcome:
    stages, stage = job.pipeline.stages, None
    match error:
        case StageError():
            stage = error.stage
        case InputError():
            stage = stages[0].name
        case OutputError():
            stage = stages[-1].name
    return Outcome(job, "failed", error=error, stage=stage, attempts=attempts, seconds=seconds)
