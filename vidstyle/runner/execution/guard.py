"""What a stage raises becomes an error that names it, with the exit code that belongs to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vidstyle.core.errors import (
    DeviceError,
    NoMemoryError,
    StageError,
    Terminated,
    VidstyleError,
    is_device_lost,
    is_out_of_memory,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A piece of a stage's code that has not come back yet."""

    stage: str
    frame: int | None
    since: float
    """On the clock of ``time.monotonic``."""


_calls: dict[int, Call] = {}
# By thread. One entry is one thread's own; reading them all needs no lock.


def overdue(seconds: float) -> Call | None:
    """A call that has taken longer, in any thread but this one."""
    now, own = time.monotonic(), threading.get_ident()
    return next(
        (
            call
            for thread, call in list(_calls.items())
            if thread != own and now - call.since > seconds
        ),
        None,
    )


def guarded(stage: str, frame: int | None, action: Callable[[], T]) -> T:
    """Run a piece of a stage's code.

    Our own errors pass as they are. Running out of memory is a NoMemoryError, a GPU that is lost a
    DeviceError, everything else a StageError; a stage that wants to leave the process is one of
    these.
    """
    thread = threading.get_ident()
    _calls[thread] = Call(stage, frame, time.monotonic())
    try:
        return action()
    except (VidstyleError, Terminated):
        raise
    except (Exception, SystemExit) as error:
        where = f"stage {stage}" if frame is None else f"stage {stage}, frame {frame}"
        text = " ".join(str(error).split()) or "no message"
        if is_out_of_memory(error):
            raise NoMemoryError(
                f"{where}: out of memory; use a smaller image or another --device"
            ) from error
        if is_device_lost(error):
            raise DeviceError(
                f"{where}: the device is lost ({text}); run again, or with --device cpu"
            ) from error
        raise StageError(stage, frame, f"{type(error).__name__}: {text}") from error
    finally:
        _calls.pop(thread, None)
