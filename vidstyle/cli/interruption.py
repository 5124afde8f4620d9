"""An interrupted command says in its last line what is stored and how to resume."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from vidstyle.cli.main import INTERRUPTED, STOPPERS, TERMINATED
from vidstyle.core.errors import VidstyleError
from vidstyle.core.stop import StopRequest
from vidstyle.runner.execution.events import Event, Kept, Listener


class InterruptedCommandError(VidstyleError):
    """Ctrl-C."""

    exit_code = INTERRUPTED


class TerminatedCommandError(VidstyleError):
    """SIGTERM."""

    exit_code = TERMINATED


@contextmanager
def explain_interruption(what_is_left: Callable[[], str]) -> Generator[None, None, None]:
    """Turn Ctrl-C and SIGTERM within into an error of that code.

    Args:
        what_is_left: the sentence about stored work; called when the work has stopped.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedCommandError(f"interrupted; {what_is_left()}") from None
    except SystemExit as leaving:
        if leaving.code != TERMINATED:
            raise
        raise TerminatedCommandError(f"terminated; {what_is_left()}") from None


_STOPPING = b"stopping: what is finished is stored; Ctrl-C again leaves at once\n"
# Seconds for what is under way to be finished and stored.
_PATIENCE = 10.0


@contextmanager
def stopping_softly() -> Generator[StopRequest, None, None]:
    """Let Ctrl-C and SIGTERM ask the work within to store what is finished, and to raise then.

    Where it has not after some seconds, it is interrupted wherever it is.
    """
    request = StopRequest()

    def ask(reason: BaseException) -> None:
        request.reason = reason
        with suppress(OSError):
            # Past Python's own buffer: the signal may have come in the midst of a line.
            os.write(sys.stderr.fileno(), _STOPPING)
        signal.signal(signal.SIGALRM, lambda *_: request.check())
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)

    STOPPERS.append(ask)
    try:
        yield request
    finally:
        STOPPERS.remove(ask)
        if request.reason is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)


class InterruptionListener:
    """A listener that passes events on and knows what an interrupted run has stored."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._frames = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Kept):
            self._frames = event.frames
        self._listen(event)

    def sentence(self) -> str:
        """For ``explain_interruption``."""
        if self._frames:
            frames = "1 frame is" if self._frames == 1 else f"{self._frames} frames are"
            return (
                f"the destination is untouched, and {frames} stored:"
                " the same command resumes after them"
            )
        return (
            "the destination is untouched. No frames were stored yet:"
            " the same command starts from the beginning"
        )
