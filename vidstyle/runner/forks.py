"""Processes that begin with everything imported: forks of one that has no other task.

To import what a clip takes is half a second of a core, a fork some milliseconds. That process
imports while this one still reads its own options.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from typing import Any

# Its imports are those of every clip.
_IMPORTED = "vidstyle.runner.worker"
# Nothing is imported from the current folder.
_SAFE_PATH = "PYTHONSAFEPATH"


def prepare_forks() -> None:
    """Start the process that is forked, unless there is one: it imports from now on."""
    # Where the command is a script, each process runs that once more, which imports these.
    ours = [name for name in sys.modules if name.startswith("vidstyle.")]
    forkserver.set_forkserver_preload([_IMPORTED, *ours])
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    # It has this for ever: Ctrl-C is for this process, which gets it when it is let through again.
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def start_fork(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Call a function in a process of its own, with the environment of this one.

    Ctrl-C in a terminal does not reach it: that is for who has started it.
    """
    prepare_forks()
    process = multiprocessing.get_context("forkserver").Process(
        target=_begin, args=(dict(os.environ), target, *arguments), daemon=True
    )
    process.start()
    return process


def _begin(environment: dict[str, str], target: Callable[..., None], *arguments: Any) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    target(*arguments)
