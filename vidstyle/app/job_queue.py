"""One job on the machine at a time; a few may wait."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from dataclasses import replace

from vidstyle.app.status import Status
from vidstyle.app.tasks import Task
from vidstyle.app.worker_process import WorkerProcess
from vidstyle.core.errors import DeviceError


class BusyError(DeviceError):
    """No more jobs may wait."""


class Job:
    """A task on its way. What it is told by is replaced whole, so that any thread may look."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.status = Status()
        self.ended = threading.Event()
        """Set when its process, if it had one, is no more."""

    def __repr__(self) -> str:
        return f"Job({self.task.kind}, {self.status.state})"


class JobQueue:
    """Runs jobs in the order in which they came, each in a process of its own."""

    def __init__(self, *, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: tuple[Job, WorkerProcess] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> Job:
        """Put a task at the end. Raises BusyError where too many wait already."""
        job = Job(task)
        with self._changed:
            if len(self._waiting) >= self._most_waiting:
                raise BusyError(f"busy: {len(self._waiting)} jobs are waiting; try again later")
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def position(self, job: Job) -> int:
        """How many jobs come before it; 0 where it runs or has ended."""
        with self._changed:
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + (self._running is not None)

    @property
    def worker(self) -> int | None:
        """The number of the process that works now."""
        with self._changed:
            return self._running and self._running[1].number

    def stop(self, job: Job) -> None:
        """End a job and wait until it has; nothing where it has ended."""
        with self._changed:
            if job.status.ended:
                return
            if job in self._waiting:
                self._waiting.remove(job)
                _end(job, replace(job.status, state="stopped"))
                return
            # Before the process is killed: what it leaves is no failure.
            job.status = replace(job.status, state="stopped")
            if self._running and self._running[0] is job:
                self._running[1].kill()
        job.ended.wait()

    def close(self) -> None:
        """End all jobs."""
        with self._changed:
            self._closed = True
            jobs = [*self._waiting, *([self._running[0]] if self._running else ())]
            self._changed.notify_all()
        for job in jobs:
            self.stop(job)
        self._thread.join()

    def _work(self) -> None:
        while started := self._next():
            job, process = started
            for news in process.news():
                with self._changed:
                    if job.status.state == "running":
                        job.status = job.status.after(news, time.monotonic())
            code = process.end()
            with self._changed:
                self._running = None
                _end(job, _ending(job.status, code))

    def _next(self) -> tuple[Job, WorkerProcess] | None:
        """The next job, with its process; None when there is to be none."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return None
                job = self._waiting.popleft()
                try:
                    process = WorkerProcess(job.task)
                except OSError as error:
                    text = f"no process can be started ({error.strerror}): close other programs"
                    _end(job, replace(job.status, state="failed", error=text))
                    continue
                job.status = replace(job.status, state="running")
                self._running = (job, process)
                return job, process


def _ending(status: Status, code: int) -> Status:
    if status.state == "stopped" or code == 0:
        return status if status.state == "stopped" else replace(status, state="done")
    return replace(status, state="failed", error=status.error or _cause(code))


def _cause(code: int) -> str:
    """Why a process ended that said nothing."""
    if code > 0:
        return f"the work ended with code {code}: start the page by `vidstyle --debug app`"
    return (
        f"the work was ended by the system ({signal.Signals(-code).name}), perhaps for want of"
        " memory: try a smaller image or clip"
    )


def _end(job: Job, status: Status) -> None:
    job.status = status
    job.ended.set()
