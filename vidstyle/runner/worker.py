"""A process that runs jobs, one after the other: what kills it is the failure of one job.

A decoder may abort the whole process on a damaged clip. Whoever waits for the job sees that as an
error, and the next job gets a new process.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from multiprocessing.process import BaseProcess
from typing import Any, Literal, TypeAlias

from vidstyle.core.errors import CrashError, Terminated, VidstyleError
from vidstyle.core.stop import StopRequest
from vidstyle.models.openvino.kept import keep_last_model
from vidstyle.runner.execution.events import Event, Result
from vidstyle.runner.execution.threaded import still_working
from vidstyle.runner.forks import start_fork
from vidstyle.runner.job import Job, Outlook, find_outlook, run, stamp_without_clip
from vidstyle.runner.plan.stamp import Stamp

# Seconds that an idle process is waited for once it has been asked to end.
_FAREWELL = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """The last word on a job: one of the first four, or else it has stopped when asked to."""

    result: Result | None = None
    outlook: Outlook | None = None
    stamp: Stamp | None = None
    """Of what nothing is wrong with."""
    error: BaseException | None = None
    """A VidstyleError, or a bug."""
    last: bool = False
    """The process ends: something in it does not come back."""


Message: TypeAlias = Event | Ended


Kind: TypeAlias = Literal["run", "look", "check"]
"""What is done with a job: ``look`` finds its outlook, ``check`` its stamp, or what is wrong
whatever the clip is."""


@dataclass(frozen=True, slots=True)
class _Task:
    job: Job
    kind: Kind


class Worker:
    """The process seen from outside: one job at a time; it starts with the first.

    It starts again with the next job after one that killed it.
    """

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._connection: Connection[Any, Any] | None = None
        self._asked = False

    @property
    def alive(self) -> bool:
        """Whether it has a process, with what that has loaded."""
        return self._process is not None

    @property
    def connection(self) -> Connection[Any, Any]:
        """To be waited for until it has a message; only while there is a job."""
        assert self._connection is not None
        return self._connection

    def begin(self, job: Job, kind: Kind = "run") -> None:
        """Let it do something with a job."""
        self._asked = False
        for _ in range(2):
            connection = self._connection or self._start()
            try:
                connection.send(_Task(job, kind))
            except OSError:
                # It has died since its last job: that is nobody's failure.
                self.end(at_once=True)
            else:
                return

    def receive(self) -> Message:
        """The next message, when it comes; an ``Ended`` with a CrashError where it dies."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            error = self._find_crash()
            # It may die of the wish to stop while it starts.
            return Ended() if self._asked else Ended(error=error)
        if isinstance(message, Ended) and message.last:
            self.end(at_once=False)
        return message

    def ask_to_stop(self) -> None:
        """Let the job store what is finished, and end."""
        if self._process is not None and not self._asked:
            self._asked = True
            self._process.terminate()

    def end(self, *, at_once: bool) -> None:
        """End the process; one that has no job ends by itself."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is None:
            return
        if at_once:
            process.kill()
        process.join(_FAREWELL)
        if process.exitcode is None:
            process.kill()
            process.join()

    def _start(self) -> Connection[Any, Any]:
        ours, its = Pipe()
        with its:
            self._process = start_fork(work, its)
        self._connection = ours
        return ours

    def _find_crash(self) -> CrashError:
        """How the process has died, which is forgotten with that."""
        process = self._process
        self.end(at_once=False)
        return CrashError.of_exit_code(None if process is None else process.exitcode)


def work(connection: Connection[Any, Any]) -> None:
    """In the process: do each task that arrives, until nobody sends any more."""
    stop = StopRequest()

    def ask(*_: object) -> None:
        stop.reason = Terminated()

    signal.signal(signal.SIGTERM, ask)
    keep_last_model()
    tasks = queue.SimpleQueue[_Task]()
    threading.Thread(target=_receive, args=(connection, tasks), daemon=True).start()
    while True:
        task = tasks.get()
        ended = _done(task, connection, stop)
        connection.send(ended)
        if ended.last:
            os._exit(0)
        stop.reason = None


def _done(task: _Task, connection: Connection[Any, Any], stop: StopRequest) -> Ended:
    try:
        if task.kind == "check":
            return Ended(stamp=stamp_without_clip(task.job))
        if task.kind == "look":
            return Ended(outlook=find_outlook(task.job))
        return Ended(result=run(task.job, listen=connection.send, stop=stop))
    except Terminated:
        return Ended(last=still_working())
    except VidstyleError as error:
        return Ended(error=error, last=still_working())
    except Exception as error:
        return Ended(error=_portable(error), last=still_working())


def _portable(error: Exception) -> Exception:
    """The error, or one with its text where it cannot be sent."""
    with suppress(Exception):
        pickle.loads(pickle.dumps(error))
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")


def _receive(connection: Connection[Any, Any], tasks: queue.SimpleQueue[_Task]) -> None:
    """Hand tasks on; ends the process when whoever sends them has gone."""
    while True:
        try:
            tasks.put(connection.recv())
        except (EOFError, OSError):
            # A job under way is for nobody; what it has stored stays.
            os._exit(0)
