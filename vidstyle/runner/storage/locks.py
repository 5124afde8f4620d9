"""Files that one process at a time holds, with a line in them about who does."""

from __future__ import annotations

import fcntl
import os
import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from vidstyle.core.errors import LockedError, OutputError

# Seconds between two tries to get a lock.
_AGAIN = 0.05


@contextmanager
def hold_lock(lock: Path, busy: str) -> Iterator[None]:
    """Hold a lock file, and remove it afterwards.

    Its folder is made where it is missing, and removed where it is empty then. Raises LockedError,
    which begins with ``busy``, where another process holds it, and OutputError where it cannot be
    made.
    """
    handle = _lock_file(lock, busy)
    while not _is_still(lock, handle):
        # Whoever held it before has removed the file that we have just locked.
        handle.close()
        handle = _lock_file(lock, busy)
    with handle:
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
            with suppress(OSError):
                lock.parent.rmdir()


@contextmanager
def wait_for_lock(lock: Path, busy: str, *, seconds: float) -> Iterator[None]:
    """As ``hold_lock``, which is tried again for so many seconds where another process holds it."""
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(hold_lock(lock, busy))
                break
            except LockedError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_AGAIN)
        yield


def holder_of(lock: Path) -> str | None:
    """Who holds a lock file, in brackets or empty; None where nobody does. Writes nothing."""
    with suppress(OSError), lock.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(lock)
    return None


def _lock_file(lock: Path, busy: str) -> IO[str]:
    try:
        handle = _open(lock)
    except OSError as error:
        raise OutputError(f"cannot write to {lock.parent}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise LockedError(f"{busy}{_holder(lock)}; wait for it") from error
    except OSError as error:
        handle.close()
        raise OutputError(f"cannot lock {lock}: {error.strerror}") from error
    with suppress(OSError):  # A full disk is no reason to do without the lock.
        handle.truncate(0)
        os.write(handle.fileno(), f"process {os.getpid()} on {platform.node()}".encode())
    return handle


def _open(lock: Path) -> IO[str]:
    while True:
        lock.parent.mkdir(exist_ok=True)
        # Whoever has just removed the empty folder may do so again, though not for ever.
        with suppress(FileNotFoundError):
            # Not emptied: who holds it has written there who they are.
            return lock.open("a+")


def _holder(lock: Path) -> str:
    """Who holds the lock, in brackets; empty where they have not written it yet."""
    try:
        text = lock.read_text(errors="replace")[:100]
    except OSError:
        return ""
    return f" ({text})" if text.isprintable() and text else ""


def _is_still(lock: Path, handle: IO[str]) -> bool:
    """Whether the locked file is the one that the name stands for."""
    try:
        return os.path.samestat(lock.stat(), os.fstat(handle.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def explain_removal() -> Iterator[None]:
    """Turn what cannot be removed into OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot remove {error.filename}: {error.strerror}; remove it by hand"
        ) from error
