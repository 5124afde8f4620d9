"""Asks a muxer aside whether it takes a stream: what was added to a file cannot be taken back."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import av
from av.container import OutputContainer
from av.stream import Stream

from vidstyle.stages.encode.containers import Container
from vidstyle.stages.encode.routes import AvPacket

# What a muxer says of streams and packets that it does not take; other errors are the disk's.
_REFUSALS: Final = (
    ValueError,
    NotImplementedError,
    av.error.InvalidDataError,
    av.error.PatchWelcomeError,
)


def is_refusal(error: BaseException | None) -> bool:
    """Whether a muxer has refused what it was given, rather than failed to write."""
    return isinstance(error, _REFUSALS) or getattr(error, "errno", None) == errno.EPERM


def takes_header(container: Container, source: Stream) -> bool:
    """Whether the format can begin a file with a copy of the stream."""

    def begin(output: OutputContainer) -> None:
        output.add_stream_from_template(source)
        output.start_encoding()

    return _is_taken(container, begin)


def takes_packets(
    container: Container, add: Callable[[OutputContainer], Iterable[AvPacket]]
) -> bool:
    """Whether the format takes a stream whole; ``add`` adds it and returns its packets."""

    def write(output: OutputContainer) -> None:
        for packet in add(output):
            output.mux_one(packet)

    return _is_taken(container, write)


def _is_taken(container: Container, write: Callable[[OutputContainer], None]) -> bool:
    try:
        with _scratch(container) as output:
            write(output)
    except (av.error.FFmpegError, *_REFUSALS):
        return False
    return True


@contextmanager
def _scratch(container: Container) -> Iterator[OutputContainer]:
    """An output of that format which keeps nothing."""
    with av.open(_Nowhere(), mode="w", format=container.format) as output:
        yield output


class _Nowhere(io.RawIOBase):
    """A file that is only as long as what was written, and holds nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self._at = self._length = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        count = len(memoryview(data))  # type: ignore[arg-type]  # as of files: anything with bytes
        self._at += count
        self._length = max(self._length, self._at)
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = start + offset
        return self._at
