"""The folder of a Ray cluster that was started here: it goes with the cluster, whoever ends it.

Ray's processes end some time after the one that started them, and write logs until then. So they
are ended before the folder is removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from vidstyle.core.stop import on_leaving

_VARIABLE = "RAY_TMPDIR"
# Seconds that processes have to be gone once they are killed, and between two looks.
_PATIENCE, _AGAIN = 5.0, 0.02


@contextmanager
def own_files() -> Iterator[None]:
    """Let Ray keep logs and sockets in a folder that goes with its cluster."""
    before = os.environ.get(_VARIABLE)
    # Its name is short: those of sockets are limited.
    folder = Path(tempfile.mkdtemp(prefix="vs", dir=before))
    with on_leaving(partial(remove_with_users, folder)):
        os.environ[_VARIABLE] = str(folder)
        try:
            yield
        finally:
            del os.environ[_VARIABLE]
            if before is not None:
                os.environ[_VARIABLE] = before
            remove_with_users(folder)


def remove_with_users(folder: Path) -> None:
    """End each process that may write there, and remove it."""
    deadline = time.monotonic() + _PATIENCE
    # Those that are killed may have started others since they were found.
    while (users := _users_of(folder)) and time.monotonic() < deadline:
        for user in users:
            with suppress(OSError):
                os.kill(user, signal.SIGKILL)
        time.sleep(_AGAIN)
    shutil.rmtree(folder, ignore_errors=True)


def _users_of(folder: Path) -> list[int]:
    """The processes that were started for the folder, or have a file of it open; not this one."""
    found = []
    with suppress(OSError):
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid():
                # It may be somebody else's, or end now.
                with suppress(OSError):
                    if _uses(process, folder):
                        found.append(int(process.name))
    return found


def _uses(process: Path, folder: Path) -> bool:
    started = f"{_VARIABLE}={folder}".encode()
    if started in (process / "environ").read_bytes().split(b"\0"):
        return True
    for file in (process / "fd").iterdir():
        # It may be closed now.
        with suppress(OSError):
            if file.readlink().is_relative_to(folder):
                return True
    return False
