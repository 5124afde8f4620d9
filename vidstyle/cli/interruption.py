"""An interrupted command says in its last line what is stored and how to resume."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from vidstyle.cli.main import INTERRUPTED, TERMINATED
from vidstyle.core.errors import VidstyleError
from vidstyle.runner.config.pipeline import Pipeline
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


class InterruptionListener:
    """A listener that passes events on and knows what an interrupted run has stored."""

    def __init__(self, pipeline: Pipeline, listen: Listener) -> None:
        self._chunk, self._listen = pipeline.chunk, listen
        self._frames = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Kept):
            self._frames = event.frames
        self._listen(event)

    def sentence(self) -> str:
        """For ``explain_interruption``."""
        if self._frames:
            return (
                f"the destination is untouched, and {self._frames} frames are stored:"
                " the same command resumes after them"
            )
        least, most = self._chunk
        return (
            "the destination is untouched. No frames were stored yet, because no chunk"
            f" ({least} to {most} frames) was complete: the same command starts from the beginning"
        )
