"""Frames of clips, whatever the container: files and folders of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from vidstyle.core import ExecutionContext, HostArray
from vidstyle.core.errors import InputError
from vidstyle.runner.plan.own_source import own_source
from vidstyle.stages.shots.histogram import HistogramOptions, is_cut


def clip_frames(
    path: Path,
    frames: tuple[int, int | None] = (0, None),
    *,
    size: tuple[int, int] | None = None,
    source_size: tuple[int, int] | None = None,
) -> Iterator[HostArray]:
    """Read the frames of a clip or of a folder of images.

    Args:
        path: A file or a folder.
        frames: A half-open interval of indices; None as its end is the end of the clip.
        size: Width and height to scale to: by area when a frame shrinks, bicubic when it grows.
        source_size: Width and height of the clip that this one was made of: an edge that was
            repeated to have even sides is cut off.

    Returns:
        Images (H, W, 3) RGB in [0, 1].

    Raises:
        InputError: The clip cannot be read, or ends before the interval begins.
    """
    first, stop = frames
    source = own_source(path)
    count = 0
    try:
        source.open(path, ExecutionContext())
        for frame in islice(source.frames(), stop):
            count += 1
            if count > first:
                yield _scaled(_unpadded(frame.host("source"), source_size), size)
    finally:
        source.close()
    if count <= first:
        raise InputError(f"{path} has {count} frames: there is none from {first} on (--frames)")


def clip_size(path: Path) -> tuple[int, int]:
    """Give the size of a clip's frames.

    Args:
        path: The clip.

    Returns:
        Width and height, in pixels.

    Raises:
        InputError: The clip cannot be read.
    """
    source = own_source(path)
    try:
        clip = source.open(path, ExecutionContext())
        return clip.width, clip.height
    finally:
        source.close()


def find_cuts(clip: Iterable[HostArray]) -> tuple[int, ...]:
    """Find the frames that begin a shot, as shots/histogram does.

    Args:
        clip: (H, W, 3) RGB in [0, 1], in order.

    Returns:
        Their indices, without 0.
    """
    threshold, found = HistogramOptions().threshold, []
    before: HostArray | None = None
    for index, image in enumerate(clip):
        if before is not None and is_cut(image, before, threshold):
            found.append(index)
        before = image
    return tuple(found)


def is_padded(size: tuple[int, int], source_size: tuple[int, int]) -> bool:
    """Check whether a size is that of the source, made even where it was odd.

    Args:
        size: Width and height of a clip, in pixels.
        source_size: Those of the clip that it was made of.

    Returns:
        False where both are the same.
    """
    even = tuple(side + side % 2 for side in source_size)
    return size != source_size and all(
        side in sides for side, sides in zip(size, zip(source_size, even, strict=True), strict=True)
    )


def _unpadded(frame: HostArray, source_size: tuple[int, int] | None) -> HostArray:
    height, width = frame.shape[:2]
    if source_size is None or not is_padded((width, height), source_size):
        return frame
    return np.ascontiguousarray(frame[: source_size[1], : source_size[0]])


def _scaled(frame: HostArray, size: tuple[int, int] | None) -> HostArray:
    height, width = frame.shape[:2]
    if size is None or size == (width, height):
        return frame
    smaller = size[0] * size[1] < width * height
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    # Bicubic overshoots beside edges.
    return np.asarray(np.clip(cv2.resize(frame, size, interpolation=interpolation), 0, 1))
