"""A pipe that takes what is written at once, and says when nobody reads it any more."""

from __future__ import annotations

import io
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vidstyle.core.errors import OutputError

NAME: Final = "standard output"
# Seconds in which Ctrl-C, which ends a whole shell pipeline, reaches this process too.
_GRACE: Final = 0.3


class PipedOutput:
    """Where bytes go as they are made. It cannot be sought in."""

    def __init__(self, descriptor: int) -> None:
        """Take the descriptor, which stays open."""
        self._descriptor = descriptor
        self._failure: BaseException | None = None
        self._poll = select.poll()
        self._poll.register(descriptor, 0)

    name = NAME

    def __str__(self) -> str:
        return NAME

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of it; nothing, once something has failed: see ``check``."""
        if self._failure is None:
            try:
                self._write(memoryview(data).cast("B"))
            except BaseException as error:
                # FFmpeg calls this, through which nothing can be raised.
                self._failure = error
        return len(data)

    def check(self) -> None:
        """Raise what has failed.

        Raises:
            OutputError: Nobody reads any more, or the bytes cannot be written.
        """
        if self._failure is not None:
            self.abandon(self._failure)
            raise self._failure

    def check_reader(self) -> None:
        """Raise OutputError where nobody reads any more; for who has nothing to write yet."""
        self.check()
        if any(event & (select.POLLERR | select.POLLNVAL) for _, event in self._poll.poll(0)):
            self._failure = _gone()
            self.check()

    def abandon(self, reason: BaseException) -> None:
        """Write nothing more, whoever wants it: what closes a file must not wait for a reader."""
        self._failure = self._failure or reason

    def _write(self, data: memoryview) -> None:
        while data:
            try:
                written = os.write(self._descriptor, data)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
                continue
            except BrokenPipeError:
                raise _gone() from None
            except OSError as error:
                raise OutputError(f"cannot write to the {NAME}: {error.strerror}") from error
            data = data[written:]


class FileOutput(io.FileIO):
    """A new file that is written once, as a pipe is, but can be sought in."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises OutputError where that cannot be."""
        with _explained(path):
            super().__init__(path, "wb")
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def write(self, data: Any) -> int:
        """Write all of it. Raises OutputError where that cannot be."""
        left = memoryview(data).cast("B")
        with _explained(self._path):
            while left:
                left = left[super().write(left) :]
        return len(data)

    def check(self) -> None:
        """Nothing can have failed: ``write`` raises at once."""

    def check_reader(self) -> None:
        """Nobody needs to read a file."""

    def abandon(self, reason: BaseException) -> None:
        """What is written after a failure is removed with the file."""


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}; free some space or choose another -o"
        ) from error


def _gone() -> OutputError:
    time.sleep(_GRACE)
    return OutputError(f"nobody reads the {NAME} any more: the run has ended there")
