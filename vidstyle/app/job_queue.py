"""One job on the machine at a time; a few may wait. Each command is a process of its own."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from vidstyle.app.status import Status
from vidstyle.app.tasks import Command, Commands, JsonLine, Task
from vidstyle.core.errors import DeviceError, VidstyleError

logger = logging.getLogger(__name__)
# Of what a command says on standard error, from the end: its error is the last line.
_MOST_BYTES: Final = 2**16


class BusyError(DeviceError):
    """No more jobs may wait."""


class PageJob:
    """A task on its way. Its status is replaced whole, so that any thread may read it."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.status = Status()
        self.ended = threading.Event()
        """Set when its process, if it had one, has ended."""

    def __repr__(self) -> str:
        return f"PageJob({self.task.kind}, {self.status.state})"


class CommandProcess:
    """One call of ``vidstyle``. ``kill`` may be called by any thread, at any time."""

    def __init__(self, command: Command) -> None:
        # A file, so that nobody has to read it meanwhile. Closed by ``end``.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by another method
        # -P: nothing is imported from the current folder. A session of its own: Ctrl-C on the
        # terminal is the page's to answer. It ends when nobody reads its lines any more.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vidstyle", *command.arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def rows(self) -> Iterator[JsonLine]:
        """What it prints, until it ends."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield json.loads(line)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> tuple[int, list[str]]:
        """Wait for it. Returns its exit code, below 0 for a signal, and its lines on stderr."""
        assert self._process.stdout is not None
        code = self._process.wait()
        self._process.stdout.close()
        with self._errors as errors:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - _MOST_BYTES))
            lines = errors.read().decode(errors="replace").splitlines()
        for line in lines:
            logger.debug("%s", line)
        return code, lines


class JobQueue:
    """Runs jobs in the order in which they came."""

    def __init__(self, *, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        self._waiting: deque[PageJob] = deque()
        self._running: PageJob | None = None
        self._process: CommandProcess | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> PageJob:
        """Put a task at the end. Raises BusyError where too many wait already."""
        job = PageJob(task)
        with self._changed:
            if len(self._waiting) >= self._most_waiting:
                raise BusyError(f"busy: {len(self._waiting)} jobs are waiting; try again later")
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def position(self, job: PageJob) -> int:
        """How many jobs come before it; 0 where it runs or has ended."""
        with self._changed:
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + (self._running is not None)

    @property
    def pid(self) -> int | None:
        """Of the process that works now."""
        with self._changed:
            return None if self._process is None else self._process.pid

    def stop(self, job: PageJob) -> None:
        """End a job and wait until it has; nothing where it has ended."""
        with self._changed:
            if job.status.ended:
                return
            # Before the process is killed: what it leaves is no failure.
            job.status = replace(job.status, state="stopped")
            if job in self._waiting:
                self._waiting.remove(job)
                job.ended.set()
            elif self._process is not None:
                self._process.kill()
        job.ended.wait()

    def close(self) -> None:
        """End all jobs."""
        with self._changed:
            self._closed = True
            jobs = [*self._waiting, *([self._running] if self._running else ())]
            self._changed.notify_all()
        for job in jobs:
            self.stop(job)
        self._thread.join()

    def _work(self) -> None:
        while job := self._next():
            try:
                self._run(job, job.task.commands())
            except (VidstyleError, OSError) as error:
                self._fail(job, str(error))
            with self._changed:
                self._running = None
                if not job.status.ended:
                    job.status = replace(job.status, state="done")
                job.ended.set()

    def _next(self) -> PageJob | None:
        """The next job; None when there is to be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._running = job = self._waiting.popleft()
            job.status = replace(job.status, state="running")
            return job

    def _run(self, job: PageJob, commands: Commands) -> None:
        """All commands of a job, up to one that fails or is stopped."""
        command = next(commands, None)
        while command is not None and self._run_command(job, command):
            try:
                command = commands.send(job.status.result or {})
            except StopIteration:
                return

    def _run_command(self, job: PageJob, command: Command) -> bool:
        """Whether it has succeeded."""
        with self._changed:
            if job.status.ended:
                return False
            job.status = job.status.start(command.title)
            self._process = process = CommandProcess(command)
        for row in process.rows():
            self._change(job, job.status.after(row, time.monotonic()))
        code, lines = process.end()
        with self._changed:
            self._process = None
        for line in lines:
            if line.startswith("note: "):
                self._change(job, job.status.with_note(line.removeprefix("note: ")))
        if code:
            errors = [line for line in lines if line.startswith("vidstyle: ")]
            self._fail(job, errors[-1].removeprefix("vidstyle: ") if errors else _cause(code))
        return not code and not job.status.ended

    def _fail(self, job: PageJob, text: str) -> None:
        self._change(job, replace(job.status, state="failed", error=text))

    def _change(self, job: PageJob, status: Status) -> None:
        """Replace the status of a job, unless somebody has stopped it meanwhile."""
        with self._changed:
            if not job.status.ended:
                job.status = status


def _cause(code: int) -> str:
    """Why a process ended without a message."""
    if code > 0:
        return f"the command ended with code {code}: start the page by `vidstyle --debug app`"
    return (
        f"the system ended the command ({signal.Signals(-code).name}), perhaps for want of"
        " memory: try a smaller image or clip"
    )
