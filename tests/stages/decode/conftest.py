"""Clips that the decoding tests write for themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.core import Clip, ExecutionContext, Frame
from vidstyle.stages.decode.pyav import DecodePyAV

WIDTH, HEIGHT = 128, 96


def moving_square(count: int, width: int = WIDTH, height: int = HEIGHT) -> list[np.ndarray]:
    """RGB images, uint8: a colored square over a ramp, a little further each time."""
    ramp = np.linspace(20, 200, width, dtype=np.float32)
    ground = np.stack([np.tile(ramp, (height, 1))] * 3, -1).astype(np.uint8)
    images = []
    for index in range(count):
        image = ground.copy()
        left = 4 + index * 3 % (width - 40)
        image[10 : height // 2, left : left + 24] = (220, 60, 40)
        images.append(image)
    return images


def write(
    path: Path,
    images: Sequence[np.ndarray | av.VideoFrame],
    *,
    codec: str = "ffv1",
    pixels: str = "bgr0",
    times: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    container_format: str | None = None,
    options: dict[str, str] | None = None,
    prepare: Callable[[Any], None] = lambda stream: None,
    **tags: Any,
) -> Path:
    """Encode images; ``tags`` are set on the codec context, ``prepare`` gets the stream."""
    with av.open(path, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        first = images[0]
        shape = (first.height, first.width) if isinstance(first, av.VideoFrame) else first.shape
        stream.height, stream.width = shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = time_base
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        prepare(stream)
        for index, image in enumerate(images):
            frame = image
            if not isinstance(frame, av.VideoFrame):
                kind = "rgba" if image.shape[2] == 4 else "rgb24"
                frame = av.VideoFrame.from_ndarray(image, kind).reformat(format=pixels)
            frame.pts = index if times is None else times[index]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Opened:
    """A source, its clip and all of its frames."""

    def __init__(self, path: Path, *, threads: int = 1, **options: Any) -> None:
        self.source = DecodePyAV(DecodePyAV.Options(**options))
        self.clip: Clip = self.source.open(path, ExecutionContext(threads=threads))
        self.frames: list[Frame] = list(self.source.frames())

    @property
    def times(self) -> list[int]:
        return [frame.pts for frame in self.frames]

    @property
    def durations(self) -> list[int]:
        return [frame.duration for frame in self.frames]

    @property
    def images(self) -> np.ndarray:
        return np.stack([frame.host("source") for frame in self.frames])

    @property
    def notes(self) -> dict[str, str]:
        every = (*self.clip.notes, *self.source.notes)
        return {note.kind: note.text for note in every}


@pytest.fixture
def write_clip(tmp_path: Path) -> Callable[..., Path]:
    """``write`` with a name in the test's own folder."""
    return lambda name, images, **keywords: write(tmp_path / name, images, **keywords)


@pytest.fixture
def opened() -> type[Opened]:
    return Opened


@pytest.fixture
def square() -> Callable[..., list[np.ndarray]]:
    return moving_square
