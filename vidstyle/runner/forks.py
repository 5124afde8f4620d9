"""Processes that begin with everything imported: forks of one that has no other task.

To import what a clip takes is half a second of a core, a fork some milliseconds. That process
imports while this one still reads its own options.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

# Its imports are those of every clip.
_IMPORTED = "vidstyle.runner.worker"
# Nothing is imported from the current folder.
_SAFE_PATH = "PYTHONSAFEPATH"
_without_main = threading.Lock()


def prepare_forks() -> None:
    """Start the process that is forked, unless there is one: it imports from now on."""
    forkserver.set_forkserver_preload([_IMPORTED])
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
    with _no_main():
        process.start()
    return process


@contextmanager
def _no_main() -> Iterator[None]:
    """Without the script that this process runs.

    A new process would run it once more, be it the page's or one that starts processes itself.
    """
    with _without_main:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _begin(environment: dict[str, str], target: Callable[..., None], *arguments: Any) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    target(*arguments)
