"""What a stage raises becomes an error that names it, with the exit code that belongs to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TypeVar

from vidstyle.core.errors import (
    DeviceError,
    NoMemoryError,
    StageError,
    Terminated,
    VidstyleError,
    is_device_lost,
    is_out_of_memory,
    shorten_message,
)
from vidstyle.runner.config.plugin_lines import find_step_line, plugin_line

T = TypeVar("T")


class Guard:
    """Calls one stage's code: names the stage in errors, takes the time, and can be watched."""

    def __init__(self, stage: str, worker: object = None) -> None:
        """Guard a stage.

        Args:
            stage: Its name as the pipeline has it.
            worker: The stage itself, for messages about what it returns.
        """
        self.stage = stage
        """Name of the stage as the pipeline has it."""
        self._worker = worker
        self.seconds = 0.0
        """Time spent inside the stage so far."""
        self._call: tuple[int | None, float] | None = None
        # Frame and start of the call that has not returned yet; replaced whole, never changed.

    def __call__(self, frame: int | None, function: Callable[..., T], *arguments: object) -> T:
        """Call a piece of the stage's code, one at a time.

        Our own errors pass as they are, and so does the end of the process that somebody asked
        for. A stage that tries to exit has failed.

        Raises:
            NoMemoryError: An allocation failed.
            DeviceError: The GPU is lost.
            StageError: Anything else.
        """
        started = time.perf_counter()
        self._call = frame, started
        try:
            return function(*arguments)
        except (VidstyleError, Terminated):
            raise
        except (Exception, SystemExit, GeneratorExit) as error:
            raise self._error(frame, error) from error
        finally:
            self._call = None
            self.seconds += time.perf_counter() - started

    def fault(self, frame: int | None, reason: str) -> StageError:
        """Return the error for what the stage has returned, with the line of a plugin's step."""
        return StageError(self.stage, frame, _with_line(reason, find_step_line(self._worker)))

    def overdue(self, seconds: float) -> StageError | None:
        """The error for a call that has taken longer than so many seconds; for other threads."""
        call = self._call
        if call is None or time.perf_counter() - call[1] <= seconds:
            return None
        reason = f"it has not returned for {seconds:g} s; raise the limit with --timeout"
        return StageError(self.stage, call[0], reason)

    def _error(self, frame: int | None, error: BaseException) -> VidstyleError:
        where = f"stage {self.stage}" if frame is None else f"stage {self.stage}, frame {frame}"
        text = shorten_message(error) or "no message"
        if is_out_of_memory(error):
            return NoMemoryError(f"{where}: out of memory; use a smaller image or another --device")
        if is_device_lost(error):
            return DeviceError(
                f"{where}: the device is lost ({text}); run again, or with --device cpu"
            )
        reason = f"{type(error).__name__}: {text}"
        return StageError(self.stage, frame, _with_line(reason, plugin_line(error)))


def _with_line(reason: str, line: str | None) -> str:
    return reason if line is None else f"{reason} ({line})"


def close_with(stack: ExitStack, stage: str, close: Callable[[], None]) -> None:
    """Let a stack close a stage, or whatever has that stage's name.

    What closing raises becomes an error as of any call; an earlier error stays the one that counts.
    """

    def leave(
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            Guard(stage)(None, close)
        except VidstyleError:
            if error is None:
                raise

    stack.push(leave)
