"""Clips as small videos that browsers play: H.264 in mp4, all of one size, on one clock."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.packet import Packet
from av.video.stream import VideoStream

from vidstyle.core import Color, HostArray
from vidstyle.media.color import MATRIX_TO_TAG, RANGE_TO_TAG
from vidstyle.media.from_rgb import FromRgb
from vidstyle.report.side_by_side import (
    Interval,
    Size,
    TimedFrames,
    display_size,
    open_side_by_side,
    resize,
)

_TICK: Final = Fraction(1, 90000)
_COLOR: Final = Color("bt709", "limited", MATRIX_TO_TAG["bt709"], MATRIX_TO_TAG["bt709"])
_OPTIONS: Final = {
    "preset": "veryfast",
    "profile": "main",
    # No frame waits for a later one, and one in twelve is a keyframe: a slider seeks fast.
    "bf": "0",
    "g": "12",
    "rc-lookahead": "8",
}


@dataclass(frozen=True, slots=True)
class Quality:
    """How much of a clip is kept."""

    widest: int
    """Pixels across, at most."""
    crf: int
    """Of x264: 18 looks like the original, 6 more are half the bytes."""


# In the order in which they are tried.
QUALITIES: Final = (Quality(640, 20), Quality(640, 26), Quality(480, 30), Quality(320, 33))


@dataclass(frozen=True, slots=True, repr=False)
class PreviewVideos:
    """The videos of several clips, each with the same frames at the same times."""

    content: Mapping[str, bytes]
    size: Size
    quality: Quality
    seconds: tuple[float, ...]
    """When each of their frames begins, from 0."""
    complete: bool = True
    """False where later frames had to be left out."""

    @property
    def total_bytes(self) -> int:
        """Of all of them."""
        return sum(map(len, self.content.values()))


def encode_previews(
    paths: Mapping[str, Path], frames: Interval, *, most_bytes: int
) -> PreviewVideos | None:
    """The best videos of clips that have ``most_bytes`` together; None where no frame fits.

    All frames at a lower quality are preferred to fewer frames: only at the lowest quality later
    frames are left out. Time is the first clip's, from 0. Raises InputError for clips that cannot
    be read, or that differ in length.
    """
    for quality in QUALITIES:
        videos = _encode(paths, frames, quality, most_bytes)
        if videos.total_bytes <= most_bytes:
            return videos
    first = frames[0]
    while videos.total_bytes > most_bytes:
        fewer = int(0.97 * len(videos.seconds) * most_bytes / videos.total_bytes)
        if not fewer:
            return None
        videos = _encode(paths, (first, first + fewer), QUALITIES[-1], most_bytes)
    return replace(videos, complete=False)


def _encode(
    paths: Mapping[str, Path], frames: Interval, quality: Quality, most_bytes: int
) -> PreviewVideos:
    """The videos whole, or up to a frame where they are larger than ``most_bytes``."""
    seconds: list[float] = []
    with open_side_by_side(paths, frames) as opened:
        size = display_size(opened.clip, quality.widest)
        videos = [_PreviewVideo(size, quality) for _ in paths]
        for now in opened.frames:
            for video, image in zip(videos, now.images, strict=True):
                video.add(image, now)
            seconds.append(round(float(now.seconds), 5))
            if sum(video.least_bytes for video in videos) > most_bytes:
                break
    content = [video.finish() for video in videos]
    return PreviewVideos(dict(zip(paths, content, strict=True)), size, quality, tuple(seconds))


class _PreviewVideo:
    """One video while it is encoded."""

    def __init__(self, size: Size, quality: Quality) -> None:
        self._size = size
        self._file = io.BytesIO()
        # The index stays at the end: moving it to the front needs a file that can be reopened.
        self._output = av.open(self._file, mode="w", format="mp4")
        self._stream = _h264(self._output.add_stream("libx264", rate=25), size, quality)
        self._convert = FromRgb("yuv420p", _COLOR, width=size[0], height=size[1], siting="left")
        # The first tick that no frame has.
        self._free = 0
        # Of the frames that the encoder has not returned yet, by their ticks.
        self._durations: dict[int, int] = {}
        self.least_bytes = 0
        """Of the packets so far; the file has more."""

    def add(self, image: HostArray, now: TimedFrames) -> None:
        frame = self._convert(resize(image, self._size))
        # Two frames of one tick would be one.
        start = max(round(now.seconds / _TICK), self._free)
        self._free = start + 1
        frame.pts, frame.time_base = start, _TICK
        self._durations[start] = max(1, round(now.duration / _TICK))
        self._mux(self._stream.encode(frame))

    def finish(self) -> bytes:
        self._mux(self._stream.encode(None))
        self._output.close()
        return self._file.getvalue()

    def _mux(self, packets: Sequence[Packet[VideoStream]]) -> None:
        for packet in packets:
            self.least_bytes += packet.size
            if packet.pts is not None:
                # The encoder does not know how long the last frame lasts.
                packet.duration = self._durations.pop(packet.pts)
            self._output.mux_one(packet)


def _h264(stream: VideoStream, size: Size, quality: Quality) -> VideoStream:
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = _TICK
    # More threads give other packets.
    context.thread_count = 1
    context.colorspace = MATRIX_TO_TAG[_COLOR.matrix]
    context.color_range = RANGE_TO_TAG[_COLOR.range]
    context.color_primaries, context.color_trc = _COLOR.primaries, _COLOR.transfer
    context.options = {**_OPTIONS, "crf": str(quality.crf)}
    return stream
