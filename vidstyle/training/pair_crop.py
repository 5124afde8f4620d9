"""Crops of two frames with the flow between them, which stays true when they are mirrored."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.training.pairs import Pair, inside, pair_of
from vidstyle.training.photos import Image, resized

_TO_UNIT = np.float32(1 / 255)


def random_crop(
    previous: Image,
    current: Image,
    flow: npt.NDArray[np.floating],
    visible: npt.NDArray[np.floating] | npt.NDArray[np.uint8],
    *,
    side: int,
    generator: np.random.Generator,
) -> Pair:
    """A square of the frames, at least ``side`` pixels where they are as large, as a pair.

    Frames are (H, W, 3) RGB of 0 to 255, ``flow`` (H, W, 2), ``visible`` (H, W) in [0, 1], or
    of 0 to 255 as 8 bits; only what is cut out is read. The square is as large as the frames'
    shorter side at most, reduced to ``side``, and mirrored half the time. What the crop does
    not show of the previous frame is not visible.
    """
    shortest = min(flow.shape[:2])
    length = int(generator.integers(min(side, shortest), shortest, endpoint=True))
    top, left = (
        int(generator.integers(extent - length, endpoint=True)) for extent in flow.shape[:2]
    )
    mirrored = bool(generator.random() < 0.5)
    cut = (slice(top, top + length), slice(left, left + length))
    before, now = (
        resized(np.ascontiguousarray(image[cut]), side, side) * _TO_UNIT
        for image in (previous, current)
    )
    motion = resized_flow(np.asarray(flow[cut], np.float32), side, side)
    seen = resized_mask(_unit(visible[cut]), side, side)
    if mirrored:
        before, now, motion, seen = (layer[:, ::-1] for layer in (before, now, motion, seen))
        motion = motion * np.array([-1, 1], np.float32)
    return pair_of(before, now, motion, seen * inside(motion))


def resized_flow(flow: HostArray, height: int, width: int) -> HostArray:
    """A flow (H, W, 2) on another grid, in that grid's pixels."""
    factors = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    return _resampled(flow, height, width) * factors


def resized_mask(mask: HostArray, height: int, width: int) -> HostArray:
    """A mask (H, W) in [0, 1] on another grid."""
    # Averages of ones are off by their rounding.
    return np.minimum(_resampled(mask, height, width), np.float32(1))


def _resampled(layer: HostArray, height: int, width: int) -> HostArray:
    if layer.shape[:2] == (height, width):
        return layer
    smaller = height * width < layer.shape[0] * layer.shape[1]
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(layer, (width, height), interpolation=interpolation), np.float32)


def _unit(mask: npt.NDArray[np.floating] | npt.NDArray[np.uint8]) -> HostArray:
    scale = _TO_UNIT if mask.dtype == np.uint8 else np.float32(1)
    return np.multiply(mask, scale, dtype=np.float32)
