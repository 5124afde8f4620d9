"""Keeps encoders from becoming real-time programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def usual_priority() -> Iterator[None]:
    """Give back the scheduling policy that a library takes from this process's threads.

    SVT-AV1 makes the thread that opens it, and all of its own, real-time ones of the highest
    priority where it runs as root, as in most containers. They would keep every other program,
    and the kernel's own work, off the processor, and it would last after the encoder is closed.
    Elsewhere than on Linux nothing is done.
    """
    if sys.platform != "linux":
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in Path("/proc/self/task").iterdir():
            # One that has ended meanwhile has no policy any more.
            with suppress(OSError):
                if os.sched_getscheduler(int(thread.name)) != policy:
                    os.sched_setscheduler(int(thread.name), policy, parameters)
