"""A thin parent of the process that works: what kills that one is a line and an exit code.

A library may abort the whole process on a damaged clip. The worker is a fork from before anything
is imported, which takes some milliseconds: it shows and does all that the command does.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

# Those that open videos in this process; the others start processes for that, or open none.
SUPERVISED = frozenset(["run", "stabilize", "check", "replay", "evaluate", "compare", "bench"])
_FORWARDED = (signal.SIGINT, signal.SIGTERM)
# In the process that works: where it says that it is about to leave by itself.
_announcements: list[int] = []


@dataclass(frozen=True, slots=True)
class EndOfWork:
    """How the process that worked has ended."""

    status: int
    """As ``os.waitpid`` gives it."""
    announced: bool
    """Whether the command came to its end; a library or a plugin may leave the process before."""


def announce_end() -> None:
    """Let the parent know that this process leaves now, with a code of ours."""
    for descriptor in _announcements:
        with suppress(OSError):
            os.write(descriptor, b".")


def work_under_supervision() -> EndOfWork | None:
    """Fork. Returns None in the process that works, and in its parent how the other one ended.

    Signals for the parent go to the other one, which is not in the terminal's group: Ctrl-C comes
    once. It ends when the parent dies.
    """
    watched, held = os.pipe()
    heard, announcing = os.pipe()
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    worker = os.fork()
    if not worker:
        os.close(held)
        os.close(heard)
        _announcements.append(announcing)
        os.setsid()
        threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()
        return None
    os.close(watched)
    os.close(announcing)

    def forward(number: int, frame: FrameType | None) -> None:
        os.kill(worker, number)

    def pause(number: int, frame: FrameType | None) -> None:
        os.kill(worker, signal.SIGSTOP)
        # Here as well, until somebody lets it continue.
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(worker, signal.SIGCONT)

    for number in _FORWARDED:
        if number != signal.SIGINT or not ignored:
            signal.signal(number, forward)
    signal.signal(signal.SIGTSTP, pause)
    status = os.waitpid(worker, 0)[1]
    # A process that it has left behind may hold the other end: there is nothing to wait for.
    os.set_blocking(heard, False)
    try:
        announced = os.read(heard, 1) != b""
    except BlockingIOError:
        announced = False
    return EndOfWork(status, announced)


def _end_with_parent(watched: int) -> None:
    """Wait until nobody holds the other end of the pipe."""
    os.read(watched, 1)
    os._exit(1)
