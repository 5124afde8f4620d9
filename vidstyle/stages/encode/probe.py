"""Does the written file hold what it should? Asked of the file itself, reopened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vidstyle.core.errors import OutputError


def probe(path: Path, expected: Sequence[Fraction], size: tuple[int, int]) -> None:
    """Check size and times, in seconds, of the frames, and that the first and last decode.

    Times must agree to one tick of the file's own clock. Raises OutputError.
    """
    try:
        with av.open(f"file:{path.absolute()}", mode="r", metadata_errors="replace") as written:
            fault = _fault(written, expected, size)
    except (av.error.FFmpegError, OSError) as error:
        fault = f"cannot be read back ({error.strerror or error})"
    if fault is not None:
        raise OutputError(
            f"{path} was written but {fault}; try another codec or container, and report this"
        )


def _fault(
    written: InputContainer, expected: Sequence[Fraction], size: tuple[int, int]
) -> str | None:
    if not written.streams.video:
        return "holds no video stream"
    stream = written.streams.video[0]
    found_size = (stream.codec_context.width, stream.codec_context.height)
    if found_size != size:
        return f"its image is {found_size[0]}x{found_size[1]}, not {size[0]}x{size[1]}"
    ticks = sorted(packet.pts for packet in written.demux(stream) if packet.pts is not None)
    if len(ticks) != len(expected):
        return f"holds {len(ticks)} frames, not {len(expected)}"
    tick = stream.time_base or Fraction(1)
    for number, (found, wanted) in enumerate(zip(ticks, expected, strict=True)):
        if abs(found * tick - wanted) > tick:
            return f"frame {number} is at {float(found * tick)} s, not {float(wanted)} s"
    return _undecodable(written, stream, ticks)


def _undecodable(written: InputContainer, stream: VideoStream, ticks: list[int]) -> str | None:
    if next(_decoded_from(written, stream, ticks[0]), None) != ticks[0]:
        return "its first frame does not decode"
    if max(_decoded_from(written, stream, ticks[-1]), default=None) != ticks[-1]:
        return "its last frame does not decode"
    return None


def _decoded_from(written: InputContainer, stream: VideoStream, ticks: int) -> Iterator[int]:
    """Times of the frames that decode from the keyframe before on, in ticks."""
    written.seek(ticks, stream=stream)
    for frame in written.decode(stream):
        if frame.pts is not None:
            yield frame.pts
