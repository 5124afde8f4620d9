"""What a stage raises becomes an error that names it, with the exit code that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vidstyle.core.errors import DeviceError, StageError, VidstyleError

T = TypeVar("T")


def guarded(stage: str, frame: int | None, action: Callable[[], T]) -> T:
    """Run a piece of a stage's code.

    Our own errors pass as they are. Running out of memory is a DeviceError, everything else a
    StageError; a stage that wants to leave the process is one of these.
    """
    try:
        return action()
    except VidstyleError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            where = f"stage {stage}" if frame is None else f"stage {stage}, frame {frame}"
            raise DeviceError(
                f"{where}: out of memory; use a smaller picture or another --device"
            ) from error
        text = " ".join(str(error).split()) or "no message"
        raise StageError(stage, frame, f"{type(error).__name__}: {text}") from error
