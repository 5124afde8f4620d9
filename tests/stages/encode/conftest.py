"""Clips made of numbers, encoded in chunks as the runner does it, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.core import (
    Clip,
    ExecutionContext,
    Frame,
    FrameTime,
    HostArray,
    Note,
    Original,
    Packet,
)
from vidstyle.stages.encode.pyav import EncodePyAV

RATE = Fraction(25)


@dataclass
class MemorySegment:
    """A chunk as the runner's store gives it back."""

    header: bytes
    stored: list[Packet]
    frames: int

    def packets(self) -> Iterator[Packet]:
        return iter(self.stored)


@dataclass
class Encoded:
    """A written file and what is known of its making."""

    path: Path
    notes: list[Note]
    digests: list[str]
    segments: list[MemorySegment]

    @property
    def kinds(self) -> set[str]:
        return {note.kind for note in self.notes}


@dataclass
class Encode:
    """Pushes images through a sink, chunk by chunk, and joins them."""

    folder: Path
    sink: Any = EncodePyAV

    def __call__(
        self,
        name: str,
        images: Sequence[HostArray],
        *,
        clip: Clip | None = None,
        times: Sequence[FrameTime] | None = None,
        chunks: Sequence[int] | None = None,
        alphas: Sequence[HostArray] | None = None,
        original: Original | None = None,
        **options: Any,
    ) -> Encoded:
        height, width = images[0].shape[:2]
        clip = clip or Clip(width, height, 1 / RATE, RATE, alpha=alphas is not None)
        times = times or [FrameTime(number, 1) for number in range(len(images))]
        sink, path = self.sink(self.sink.Options(**options)), self.folder / name
        sink.check(path, clip)
        sink.open(clip, ExecutionContext(threads=2))
        segments, digests = [], []
        first = 0
        for count in chunks or [len(images)]:
            writer, packets = sink.segment(clip), []
            for number in range(first, first + count):
                layers = {"image": images[number]}
                if alphas is not None:
                    layers["alpha"] = alphas[number]
                done, digest = writer.write(
                    Frame(number, times[number].pts, times[number].duration, layers)
                )
                packets += done
                digests.append(digest)
            packets += writer.finish()
            segments.append(MemorySegment(writer.header, packets, count))
            first += count
        sink.join(segments, times, original or Original(self.folder / "none"), path)
        notes = list(sink.notes)
        sink.close()
        return Encoded(path, notes, digests, segments)


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    return Encode(tmp_path)


@cache
def wave_image(number: int, width: int, height: int) -> HostArray:
    down, across = np.mgrid[:height, :width].astype(np.float32)
    planes = [
        0.5 + 0.4 * np.sin(across / 17 + number * 0.3),
        0.5 + 0.4 * np.cos(down / 13 - number * 0.2),
        0.5 + 0.3 * np.sin((across + down) / 29 + number * 0.1),
    ]
    image = np.stack(planes, axis=-1).astype(np.float32)
    # All tests share it.
    image.flags.writeable = False
    return image


@pytest.fixture
def moving() -> Callable[..., list[HostArray]]:
    """Smooth colored waves that move a little from image to image."""

    def make(count: int = 8, width: int = 160, height: int = 128) -> list[HostArray]:
        return [wave_image(number, width, height) for number in range(count)]

    return make


@dataclass
class Read:
    """A file as a second decoder sees it."""

    path: Path

    def frames(self, decoder: str | None = None) -> list[av.VideoFrame]:
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            if decoder is None:
                return list(container.decode(stream))
            context = av.CodecContext.create(decoder, "r")
            context.extradata = stream.codec_context.extradata
            packets = [packet for packet in container.demux(stream) if packet.size]
            return [frame for packet in [*packets, None] for frame in context.decode(packet)]

    def seconds(self) -> list[Fraction]:
        return [frame.pts * frame.time_base for frame in self.frames()]

    def image(self, number: int, matrix: str = "bt601", *, full: bool = False) -> HostArray:
        """RGB in [0, 1] by the textbook's formulas, from whatever planes the file has."""
        frame = self.frames()[number]
        if frame.format.is_rgb:
            return frame.to_ndarray(format="rgb24").astype(np.float64) / 255
        return _textbook_rgb(_whole_planes(frame), matrix, frame.format.components[0].bits, full)


def _whole_planes(frame: av.VideoFrame) -> list[np.ndarray]:
    """Luma and chroma, chroma brought to the size of luma by repeating."""
    kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    planes = []
    for plane in frame.planes[:3]:
        samples = np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width]
        down = round(frame.height / plane.height)
        across = round(frame.width / plane.width)
        whole = samples.repeat(down, 0).repeat(across, 1)[: frame.height, : frame.width]
        planes.append(whole.astype(np.float64))
    return planes


def _textbook_rgb(planes: list[np.ndarray], matrix: str, bits: int, full: bool) -> np.ndarray:
    red, blue = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}[matrix]
    scale = 2 ** (bits - 8)
    luma, blueness, redness = planes
    if full:
        luma = luma / (2**bits - 1)
        blueness, redness = ((c - 128 * scale) / (2**bits - 1) for c in (blueness, redness))
    else:
        luma = (luma - 16 * scale) / (219 * scale)
        blueness, redness = ((c - 128 * scale) / (224 * scale) for c in (blueness, redness))
    r = luma + 2 * (1 - red) * redness
    b = luma + 2 * (1 - blue) * blueness
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return np.stack([r, g, b], axis=-1)


@pytest.fixture
def read() -> Callable[[Path], Read]:
    return Read


def psnr(first: HostArray, second: HostArray) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1]."""
    return float(-10 * np.log10(np.mean((first.astype(np.float64) - second) ** 2)))


@pytest.fixture(name="psnr")
def _psnr() -> Callable[[HostArray, HostArray], float]:
    return psnr
