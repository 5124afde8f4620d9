"""A new file: opened for its packets, and read back once it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from vidstyle.core.errors import OutputError
from vidstyle.stages.encode.containers import Container
from vidstyle.stages.encode.routes import AvPacket


@contextmanager
def open_output(path: Path, container: Container, time_base: Fraction) -> Iterator[OutputContainer]:
    """The muxer of a new file; what is left is written when it closes.

    Raises OutputError where the file cannot be written.
    """
    with explain_muxer_errors(path):
        output = av.open(
            f"file:{path.absolute()}",
            mode="w",
            format=container.format,
            container_options=container.muxer_options(time_base),
        )
        with output:
            yield output


@contextmanager
def explain_muxer_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a refusing muxer into OutputError."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another "
            "place with -o"
        ) from error


def padded_packet(data: bytes) -> AvPacket:
    """A packet in FFmpeg's own memory: parsers read a little beyond the end."""
    packet: AvPacket = av.Packet(len(data))
    packet.update(data)
    return packet


def verify_file(path: Path, expected: Sequence[Fraction], size: tuple[int, int]) -> None:
    """Check a written file: size and times of its frames, and that the first and last decode.

    Args:
        path: The file.
        expected: Presentation times in seconds; they must agree to one tick of the file's clock.
        size: Width and height in pixels.

    Raises:
        OutputError: The file differs, or cannot be read.
    """
    try:
        with av.open(f"file:{path.absolute()}", mode="r", metadata_errors="replace") as written:
            fault = _find_fault(written, expected, size)
    except (av.error.FFmpegError, OSError) as error:
        fault = f"cannot be read back ({error.strerror or error})"
    if fault is not None:
        raise OutputError(
            f"{path} was written but {fault}; try another codec or container, and report this"
        )


def _find_fault(
    written: InputContainer, expected: Sequence[Fraction], size: tuple[int, int]
) -> str | None:
    if not written.streams.video:
        return "holds no video stream"
    stream = written.streams.video[0]
    found_size = (stream.codec_context.width, stream.codec_context.height)
    if found_size != size:
        return f"its frames are {found_size[0]}x{found_size[1]}, not {size[0]}x{size[1]}"
    ticks = sorted(packet.pts for packet in written.demux(stream) if packet.pts is not None)
    if len(ticks) != len(expected):
        return f"holds {len(ticks)} frames, not {len(expected)}"
    tick = stream.time_base or Fraction(1)
    for number, (found, wanted) in enumerate(zip(ticks, expected, strict=True)):
        if abs(found * tick - wanted) > tick:
            return f"frame {number} is at {float(found * tick)} s, not {float(wanted)} s"
    return _find_undecodable(written, stream, ticks)


def _find_undecodable(written: InputContainer, stream: VideoStream, ticks: list[int]) -> str | None:
    if next(_decode_from(written, stream, ticks[0]), None) != ticks[0]:
        return "its first frame does not decode"
    if max(_decode_from(written, stream, ticks[-1]), default=None) != ticks[-1]:
        return "its last frame does not decode"
    return None


def _decode_from(written: InputContainer, stream: VideoStream, ticks: int) -> Iterator[int]:
    """Times in ticks of the frames that decode from the keyframe at or before ``ticks``."""
    written.seek(ticks, stream=stream)
    for frame in written.decode(stream):
        if frame.pts is not None:
            yield frame.pts
