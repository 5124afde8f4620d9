"""A thin parent of the process that works: what kills that one is a line and an exit code.

A library may abort the whole process on a damaged clip. The worker is a fork from before anything
is imported, which takes some milliseconds: it shows and does all that the command does.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

# Those that open videos in this process; the others start processes for that, or open none.
SUPERVISED = frozenset(["run", "stabilize", "check", "replay", "evaluate", "compare", "bench"])
_FORWARDED = (signal.SIGINT, signal.SIGTERM)


def work_under_supervision() -> int | None:
    """Fork. Returns None in the process that works, and in its parent the other's wait status.

    Signals for the parent go to the other one, which is not in the terminal's group: Ctrl-C comes
    once. It ends when the parent dies.
    """
    watched, held = os.pipe()
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    worker = os.fork()
    if not worker:
        os.close(held)
        os.setsid()
        threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()
        return None
    os.close(watched)

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
    return os.waitpid(worker, 0)[1]


def _end_with_parent(watched: int) -> None:
    """Wait until nobody holds the other end of the pipe."""
    os.read(watched, 1)
    os._exit(1)
