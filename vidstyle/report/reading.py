"""The clips that a report shows, read side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.frame_groups import ClipFrames, zip_clips
from vidstyle.report.shown_size import Size, resized
from vidstyle.stages.decode.images import DecodeImages, ImagesOptions
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV

Interval: TypeAlias = tuple[int, int | None]
"""First frame, and the frame to stop before or None for the end; the same of every clip."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What the clips show at one time."""

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
    """Opened clips."""

    clip: Clip
    """The first one."""
    moments: Iterator[Moment]
    """To be read once."""


@contextmanager
def side_by_side(clips: Mapping[str, Path], frames: Interval) -> Iterator[SideBySide]:
    """Read clips, files or folders of images, until the context ends.

    All are scaled to the size of the first, since clips of several sizes can have been judged.
    Raises InputError where one cannot be read or has no frame in the interval, and where they
    differ in length.
    """
    with ExitStack() as stack:
        opened = []
        for name, path in clips.items():
            opened.append(_Opened(name, path, frames))
            stack.callback(opened[-1].close)
        yield SideBySide(opened[0].clip, _moments(opened, frames))


class _Opened:
    """One clip; ``now`` is the frame that was given last."""

    def __init__(self, name: str, path: Path, frames: Interval) -> None:
        self.name = name
        self._source: Any = (
            DecodeImages(ImagesOptions()) if path.is_dir() else DecodePyAV(DecodeOptions())
        )
        self._frames = frames
        self.clip: Clip = self._source.open(path, ExecutionContext())
        self.now: Frame | None = None

    def images(self, size: Size) -> Iterator[HostArray]:
        for frame in islice(self._source.frames(), *self._frames):
            self.now = frame
            yield np.clip(resized(frame.host("source"), size), 0, 1)

    def close(self) -> None:
        self._source.close()


def _moments(opened: Sequence[_Opened], frames: Interval) -> Iterator[Moment]:
    first, tick, start = opened[0], opened[0].clip.time_base, None
    size = first.clip.width, first.clip.height
    clips = [(one.name, one.images(size)) for one in opened]
    for index, images in enumerate(zip_clips(clips)):
        frame = first.now
        assert frame is not None
        start = frame.pts if start is None else start
        yield Moment(index, (frame.pts - start) * tick, frame.duration * tick, images)
    if start is None:
        raise InputError(f"there is nothing to show: the clips have no frame {frames[0]}")
