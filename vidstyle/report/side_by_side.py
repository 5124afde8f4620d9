"""The clips that a report shows, read side by side at the size of the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.frame_groups import ClipFrames, zip_clips
from vidstyle.imaging.contact_sheet import Image
from vidstyle.runner.plan.own_source import own_source
from vidstyle.runner.plan.side_reading import without_options

# First frame, and the frame to stop before or None for the end; the same of every clip.
Interval: TypeAlias = tuple[int, int | None]
# Width and height in pixels.
Size: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class TimedFrames:
    """One frame of each clip, and its time."""

    index: int
    """Counted from the first frame of the interval."""
    seconds: Fraction
    """Of the first clip, since that frame."""
    duration: Fraction
    """In seconds."""
    images: ClipFrames
    """One of each clip, (H, W, 3) RGB in [0, 1], all of the first clip's size."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Open clips."""

    clip: Clip
    """The first one."""
    frames: Iterator[TimedFrames]
    """To be read once."""


@contextmanager
def open_side_by_side(clips: Mapping[str, Path], frames: Interval) -> Iterator[SideBySide]:
    """Read clips, files or folders of images, until the context ends.

    All are scaled to the size of the first, since clips of several sizes can be evaluated.
    Raises InputError where one cannot be read or has no frame in the interval, and where they
    differ in length.
    """
    with ExitStack() as stack:
        opened = []
        for name, path in clips.items():
            opened.append(_Opened(name, path, frames))
            stack.callback(opened[-1].close)
        yield SideBySide(opened[0].clip, _timed_frames(opened, frames))


class _Opened:
    """One clip; ``now`` is the frame that was read last."""

    def __init__(self, name: str, path: Path, frames: Interval) -> None:
        self.name = name
        self._source = own_source(path)
        self._frames = frames
        try:
            self.clip: Clip = self._source.open(path, ExecutionContext())
        except InputError as error:
            raise InputError(without_options(error)) from error
        self.now: Frame | None = None

    def images(self, size: Size) -> Iterator[HostArray]:
        for frame in islice(self._source.frames(), *self._frames):
            self.now = frame
            yield np.clip(resize(frame.host("source"), size), 0, 1)

    def close(self) -> None:
        self._source.close()


def _timed_frames(opened: Sequence[_Opened], frames: Interval) -> Iterator[TimedFrames]:
    first, tick, start = opened[0], opened[0].clip.time_base, None
    size = first.clip.width, first.clip.height
    clips = [(one.name, one.images(size)) for one in opened]
    for index, images in enumerate(zip_clips(clips)):
        frame = first.now
        assert frame is not None
        start = frame.pts if start is None else start
        yield TimedFrames(index, (frame.pts - start) * tick, frame.duration * tick, images)
    if start is None:
        raise InputError(f"there is nothing to show: the clips have no frame {frames[0]}")


def display_size(clip: Clip, widest: int) -> Size:
    """The size to show a clip at: square pixels, ``widest`` of them across at most, even sides.

    Nothing is enlarged: a clip with tall pixels gets narrower, one with wide pixels lower.
    """
    aspect = float(clip.sample_aspect)
    width, height = clip.width * min(1, aspect), clip.height / max(1, aspect)
    scale = min(1, widest / width)
    return _even(width * scale), _even(height * scale)


def resize(image: HostArray, size: Size) -> HostArray:
    """An image (H, W, C) at a size: by area where it shrinks, bicubic where it grows."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    smaller = size[0] * size[1] < width * height
    kernel = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    result = cv2.resize(image, size, interpolation=kernel)
    return np.asarray(result, np.float32).reshape(size[1], size[0], -1)


def to_bytes(image: HostArray) -> Image:
    """An image (H, W, 3) in [0, 1] in whole 255ths; values outside are clamped."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
