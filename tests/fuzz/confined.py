"""Runs a command in a forked child that can do no harm, and reports what it did."""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.security.sealed import seal

SECONDS = 20.0
MEMORY = 2 << 30
"""Bytes, beyond what the parent has."""
RAISED = 99
"""Exit code of a command that let an exception out."""
_LARGEST_FILE = 1 << 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended."""

    code: int | None
    """None where a signal ended it."""
    signal: str
    """Its name; empty where the child left by itself."""
    out: str
    err: str
    asked: tuple[str, ...]
    """Whom it wanted to talk to by network."""
    left: bool
    """Whether processes of it were still alive."""
    seconds: float
    memory: int
    """Bytes at its peak."""


def confined(
    command: Callable[[], int],
    folder: Path,
    *,
    environment: dict[str, str] | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> Outcome:
    """Run the command with ``folder`` as the current one; never waits longer than ``seconds``.

    It has one core and no network: who asks for a connection gets an error, or SIGSYS where the
    kernel can do that.
    """
    out, err, asked = (os.memfd_create(name) for name in ("out", "err", "asked"))
    with _without_threads():
        child = os.fork()
        if child == 0:
            _be(command, folder, environment or {}, (out, err, asked), memory)
    try:
        code, usage = _awaited(child, seconds)
    finally:
        left = _end_all(child)
    return Outcome(
        code if code >= 0 else None,
        signal.Signals(-code).name if code < 0 else "",
        _content(out),
        _content(err),
        tuple(_content(asked).splitlines()),
        left,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss << 10,
    )


@contextmanager
def _without_threads() -> Iterator[None]:
    """End the threads that libraries compute in, and allow them again afterwards.

    A forked child has none of them, and would wait for them for ever.
    """
    limits = [
        (getattr(sys.modules[name], limit), getattr(sys.modules[name], count)())
        for name, (limit, count) in _THREAD_LIMITS.items()
        if name in sys.modules
    ]
    for limit, _ in limits:
        limit(1)
    try:
        yield
    finally:
        for limit, count in limits:
            limit(count)


_THREAD_LIMITS = {
    "torch": ("set_num_threads", "get_num_threads"),
    "cv2": ("setNumThreads", "getNumThreads"),
}


def _awaited(child: int, seconds: float) -> tuple[int, resource.struct_rusage]:
    """Its exit code, or a signal's number below 0; killed when its time is over."""
    handle = os.pidfd_open(child)
    try:
        if not select.select([handle], [], [], seconds)[0]:
            os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(status), usage


def _end_all(child: int) -> bool:
    """End what is left of its process group; False where nothing is."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _content(handle: int) -> str:
    with os.fdopen(handle, "rb") as file:
        file.seek(0)
        return file.read().decode(errors="backslashreplace")


def _be(
    command: Callable[[], int],
    folder: Path,
    environment: dict[str, str],
    streams: tuple[int, int, int],
    memory: int,
) -> None:
    """The child; never returns."""
    code = RAISED
    try:
        os.setsid()
        _use_streams(*streams[:2])
        _prepare(folder, environment)
        _limit(memory)
        _cut_off(streams[2])
        code = command()
    except BaseException:  # whatever it is, the parent is to know
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _use_streams(out: int, err: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), errors="backslashreplace")
        for number in (1, 2)
    )
    faulthandler.enable(2)
    # Handlers and filters of a test runner are not those of a user.
    logging.root.handlers.clear()
    warnings.resetwarnings()


def _prepare(folder: Path, environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.update(environment)
    tempfile.tempdir = None
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _limit(memory: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for what, most in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + memory),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _cut_off(asked: int) -> None:
    def refuse(_: object, address: object, *rest: object, **named: object) -> None:
        os.write(asked, f"{address}\n".encode())
        raise OSError("there is no network here")

    def find(host: object, *rest: object, **named: object) -> None:
        refuse(None, host)

    for name, replacement in (("connect", refuse), ("connect_ex", refuse)):
        setattr(socket.socket, name, replacement)
    socket.getaddrinfo = find  # type: ignore[assignment]  # it never answers
    seal()
