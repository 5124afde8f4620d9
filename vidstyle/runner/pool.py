"""Jobs beside each other: a pool takes jobs, and gives their events and ends as they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from types import TracebackType
from typing import Protocol

from vidstyle.runner.job import Job
from vidstyle.runner.plan.device import available_cores
from vidstyle.runner.plan.memory import process_memory
from vidstyle.runner.worker import Ended, Message, Worker

LOOK_MEMORY = process_memory(torch=False)
"""Bytes that it takes to look ahead at a clip."""

# Seconds that a call waits for a message.
_PATIENCE = 0.2


@dataclass(frozen=True, slots=True)
class Report:
    """A message of one job: an event, or how it has ended."""

    ticket: int
    """As the job was given to the pool."""
    message: Message


class Pool(Protocol):
    """Runs jobs, each for itself: what kills one leaves the others. A context that ends them."""

    def __enter__(self) -> Pool: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def takes(self, memory: int) -> bool:
        """Whether a job that takes so many bytes can begin now, beside those that run."""
        ...

    def begin(self, ticket: int, job: Job, memory: int, *, left: int) -> None:
        """Begin a job that the pool takes.

        ``left`` is how many there are to run in all, this one and those that run included.
        """
        ...

    def reports(self) -> Sequence[Report]:
        """What has come since the last call; waits a little where nothing has.

        After a job's ``Ended`` nothing more comes of it, and its ticket is free.
        """
        ...

    def ask_to_stop(self) -> None:
        """Let every job store what is finished, and end. May be called again."""
        ...


class LocalPool:
    """Processes of this machine that share its cores and a budget of memory.

    A process is used for one job after the other, and replaced where it dies. A job whose memory
    does not fit beside the others waits; the only one is always taken.

    Args:
        size: Most jobs at a time.
        budget: Bytes for all of them.
        cores: For all of them; None for those that this process may use.
    """

    def __init__(self, size: int, *, budget: int, cores: int | None = None) -> None:
        self.size = size
        self._budget, self._cores = budget, cores or available_cores()
        self._workers = [Worker() for _ in range(size)]
        # Ticket and bytes of each one's job.
        self._running = dict[Worker, tuple[int, int]]()

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.end(at_once=error is not None or worker in self._running)
        self._running.clear()

    def takes(self, memory: int) -> bool:
        """Whether a process is idle and the memory fits into the budget."""
        if not self._running:
            return True
        fits = self._used + memory <= self._budget
        return fits and len(self._running) < self.size

    def begin(self, ticket: int, job: Job, memory: int, *, left: int) -> None:
        """Begin a job on its part of the cores."""
        worker = self._idle()
        beside = max(min(self.size, left, self._budget // max(memory, 1)), 1)
        self._running[worker] = ticket, memory
        self._end_idle()
        worker.begin(replace(job, cores=max(self._cores // beside, 1)))

    def look(self, ticket: int, job: Job) -> None:
        """Look ahead at a job: its ``Ended`` has an outlook."""
        worker = self._idle()
        self._running[worker] = ticket, LOOK_MEMORY
        worker.begin(job, "look")

    def check(self, job: Job) -> Ended:
        """A job's stamp, or what is wrong whatever its clip is; called while nothing runs."""
        worker = self._idle()
        worker.begin(job, "check")
        while not isinstance(message := worker.receive(), Ended):
            pass
        return message

    def reports(self) -> Sequence[Report]:
        """One message of each process that has one."""
        owners = {worker.connection: worker for worker in self._running}
        found = []
        for connection in wait(list(owners), timeout=_PATIENCE):
            worker = owners[connection]  # type: ignore[index]  # only connections are waited for
            message = worker.receive()
            found.append(Report(self._running[worker][0], message))
            if isinstance(message, Ended):
                del self._running[worker]
        return found

    def ask_to_stop(self) -> None:
        """Ask each process that has a job."""
        for worker in self._running:
            worker.ask_to_stop()

    @property
    def _used(self) -> int:
        """Bytes of the jobs that run."""
        return sum(memory for _, memory in self._running.values())

    def _idle(self) -> Worker:
        """A process without a job, rather one that has been started."""
        idle = [worker for worker in self._workers if worker not in self._running]
        return max(idle, key=lambda worker: worker.alive)

    def _end_idle(self) -> None:
        """End processes without a job where what they hold is needed."""
        idle = [each for each in self._workers if each.alive and each not in self._running]
        spare = self._budget - self._used
        for worker in idle[max(spare // process_memory(torch=True), 0) :]:
            worker.end(at_once=False)
