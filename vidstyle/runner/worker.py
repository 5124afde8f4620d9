"""A process that runs jobs, one after the other: what kills it is the failure of one job.

A decoder may abort the whole process on a damaged clip. Whoever waits for the job sees that as an
error, and the next job gets a new process.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, TypeAlias

from vidstyle.core.errors import CrashError, Terminated, VidstyleError
from vidstyle.core.stop import StopRequest
from vidstyle.runner.execution.events import Event, Listener, Result
from vidstyle.runner.job import Job, run

# Seconds between two looks at whether somebody wants the job to stop.
_LOOK = 0.2
# Seconds that an idle process is waited for once it has been asked to end.
_FAREWELL = 5.0
# -P: nothing is imported from the current folder.
_COMMAND = ("-P", "-c", "from vidstyle.runner.worker import run_jobs; run_jobs()")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The last word on a job."""

    result: Result | None = None
    error: BaseException | None = None
    """None with no result: it was asked to stop, and has."""


_Message: TypeAlias = Event | _Outcome


class Worker:
    """Starts its process with the first job, and again after one that killed it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(at_once=error is not None)

    def run(self, job: Job, *, listen: Listener, stop: StopRequest | None = None) -> Result:
        """Run a job in the process, as ``vidstyle.runner.job.run`` does here.

        Raises what that does, CrashError where the process dies, and the reason of a stop.
        """
        stop = stop or StopRequest()
        connection = self._connection or self._start()
        try:
            connection.send(job)
            ended = self._follow(connection, listen, stop)
        except (EOFError, OSError) as error:
            raise CrashError(self._last_words()) from error
        except BaseException:
            # It is in the midst of a job that nobody waits for.
            self._end(at_once=True)
            raise
        if ended.error is not None:
            raise ended.error
        if ended.result is None:
            stop.check()
            raise CrashError("somebody has ended the process of the clip; run again")
        return ended.result

    def _follow(
        self, connection: Connection[Any, Any], listen: Listener, stop: StopRequest
    ) -> _Outcome:
        asked = False
        while True:
            if stop.reason is not None and not asked and self._process is not None:
                asked = True
                self._process.terminate()
            if connection.poll(_LOOK):
                message: _Message = connection.recv()
                if isinstance(message, _Outcome):
                    return message
                listen(message)

    def _start(self) -> Connection[Any, Any]:
        ours, its = Pipe()
        with its:
            environment = {**os.environ, _HANDLE: str(its.fileno())}
            self._process = subprocess.Popen(
                [sys.executable, *_COMMAND],
                stdin=subprocess.DEVNULL,
                env=environment,
                pass_fds=[its.fileno()],
                # Ctrl-C in a terminal is for who started it, who then asks it to stop.
                start_new_session=True,
            )
        self._connection = ours
        return ours

    def _last_words(self) -> str:
        """How the process has died, which is forgotten with that."""
        process = self._process
        self._end(at_once=False)
        code = None if process is None else process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            why = "; is there enough memory?" if -code == signal.SIGKILL else ""
            return f"the process of the clip was ended by {name}: a library crashed{why}"
        return f"the process of the clip has ended with code {code}"

    def _end(self, *, at_once: bool) -> None:
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is None:
            return
        if at_once:
            process.kill()
        try:
            process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


_HANDLE = "VIDSTYLE_WORKER_HANDLE"


def run_jobs() -> None:
    """In the process: run each job that arrives, until nobody sends any more."""
    connection: Connection[Any, Any] = Connection(int(os.environ.pop(_HANDLE)))
    stop = StopRequest()

    def ask(*_: object) -> None:
        stop.reason = Terminated()

    signal.signal(signal.SIGTERM, ask)
    jobs = queue.SimpleQueue[Job]()
    threading.Thread(target=_receive, args=(connection, jobs), daemon=True).start()
    while True:
        job = jobs.get()
        connection.send(_run(job, connection, stop))
        stop.reason = None


def _run(job: Job, connection: Connection[Any, Any], stop: StopRequest) -> _Outcome:
    try:
        return _Outcome(run(job, listen=connection.send, stop=stop))
    except Terminated:
        return _Outcome()
    except VidstyleError as error:
        return _Outcome(error=error)
    except Exception as error:
        return _Outcome(error=_portable(error))


def _portable(error: Exception) -> Exception:
    """The error, or one with its text where it cannot be sent."""
    with suppress(Exception):
        pickle.loads(pickle.dumps(error))
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")


def _receive(connection: Connection[Any, Any], jobs: queue.SimpleQueue[Job]) -> None:
    """Hand jobs on; ends the process when whoever sends them has gone."""
    while True:
        try:
            jobs.put(connection.recv())
        except (EOFError, OSError):
            # A job under way is for nobody; what it has stored stays.
            os._exit(0)
