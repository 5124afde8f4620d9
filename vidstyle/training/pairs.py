"""Pairs of consecutive images with the motion between them, and crops of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import FRAME_MARGIN, targets
from vidstyle.training.photos import Image, resize_photo


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Pair:
    """N pairs of images of one size, and where the later ones are seen in the earlier ones."""

    previous: torch.Tensor
    """(N, 3, H, W) RGB in [0, 1]."""
    current: torch.Tensor
    """(N, 3, H, W) RGB in [0, 1]."""
    flow: torch.Tensor
    """(N, 2, H, W) pixels (dx, dy) on the current image's grid: ``previous[y + dy, x + dx]``
    shows what ``current[y, x]`` shows."""
    visible: torch.Tensor
    """(N, 1, H, W) in [0, 1]: 1 where that is visible in the previous image, 0 where it is
    hidden or outside."""

    def __post_init__(self) -> None:
        for name, channels in (("previous", 3), ("current", 3), ("flow", 2), ("visible", 1)):
            self._check(name, channels)

    def _check(self, name: str, channels: int) -> None:
        tensor: torch.Tensor = getattr(self, name)
        if tensor.ndim != 4 or tensor.dtype != torch.float32:
            form = f"{tuple(tensor.shape)} {tensor.dtype}"
            raise ValueError(f"{name} is (N, {channels}, H, W) float32, got {form}")
        count, _, height, width = self.previous.shape
        if tensor.shape != (count, channels, height, width):
            wanted = (count, channels, height, width)
            raise ValueError(f"{name} must have shape {wanted}, got {tuple(tensor.shape)}")
        least, most = (float(value) for value in tensor.aminmax())
        if name != "flow" and not (least >= 0 and most <= 1):
            raise ValueError(f"{name} must lie in [0, 1], got {least} to {most}")
        if not np.isfinite(most - least):
            raise ValueError("flow must be finite")

    def __repr__(self) -> str:
        shapes = (f"{field.name}{tuple(getattr(self, field.name).shape)}" for field in fields(self))
        return f"Pair({', '.join(shapes)})"


class PairSource(Protocol):
    """An endless, seeded row of pairs."""

    def draw(self, count: int) -> Pair:
        """Draw the next pairs.

        They follow from the source's generator and from nothing else that changes: with the
        generator at an earlier state, the same pairs come again.

        Args:
            count: How many, at least 1.

        Returns:
            So many pairs.

        Raises:
            InputError: Nothing can be read.
        """
        ...


def pair_of(previous: HostArray, current: HostArray, flow: HostArray, visible: HostArray) -> Pair:
    """Make one pair of host arrays.

    Args:
        previous: (H, W, 3) RGB in [0, 1].
        current: The same, of the same size.
        flow: (H, W, 2) pixels, from ``current`` to ``previous``.
        visible: (H, W) in [0, 1].

    Returns:
        The pair, N = 1.
    """
    return Pair(_tensor(previous), _tensor(current), _tensor(flow), _tensor(visible[..., None]))


def join_pairs(pairs: Sequence[Pair]) -> Pair:
    """Join pairs of one size into one value, in order.

    Args:
        pairs: At least one.

    Returns:
        All of them along N.
    """
    if len(pairs) == 1:
        return pairs[0]
    return Pair(
        torch.cat([pair.previous for pair in pairs]),
        torch.cat([pair.current for pair in pairs]),
        torch.cat([pair.flow for pair in pairs]),
        torch.cat([pair.visible for pair in pairs]),
    )


def mask_inside(flow: HostArray) -> HostArray:
    """Mark the pixels whose flow leads to a point of the image.

    Args:
        flow: (H, W, 2) in pixels.

    Returns:
        (H, W), 1 inside and 0 outside.
    """
    height, width = flow.shape[:2]
    columns, rows = targets(flow)
    there = (columns >= -FRAME_MARGIN) & (columns <= width - 1 + FRAME_MARGIN)
    there &= (rows >= -FRAME_MARGIN) & (rows <= height - 1 + FRAME_MARGIN)
    return np.asarray(there, np.float32)


def _tensor(array: HostArray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))[None]


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
    """Cut a random square out of two frames, as a pair.

    The square has at least ``side`` pixels where the frames are as large, and at most the frames'
    shorter side; it is reduced to ``side``, and mirrored half the time. What the crop does not show
    of the previous frame is not visible. Only what is cut out is read.

    Args:
        previous: (H, W, 3) RGB of 0 to 255.
        current: The same, of the same size.
        flow: (H, W, 2) pixels, from ``current`` to ``previous``.
        visible: (H, W) in [0, 1], or of 0 to 255 as 8 bits.
        side: Of the pair's images, in pixels.
        generator: Decides where.

    Returns:
        One pair of (side, side) images.
    """
    shortest = min(flow.shape[:2])
    length = int(generator.integers(min(side, shortest), shortest, endpoint=True))
    top, left = (
        int(generator.integers(extent - length, endpoint=True)) for extent in flow.shape[:2]
    )
    mirrored = bool(generator.random() < 0.5)
    cut = (slice(top, top + length), slice(left, left + length))
    before, now = (
        resize_photo(np.ascontiguousarray(image[cut]), side, side) * _TO_UNIT
        for image in (previous, current)
    )
    motion = resize_flow(np.asarray(flow[cut], np.float32), side, side)
    seen = resize_mask(_unit(visible[cut]), side, side)
    if mirrored:
        before, now, motion, seen = (layer[:, ::-1] for layer in (before, now, motion, seen))
        motion = motion * np.array([-1, 1], np.float32)
    return pair_of(before, now, motion, seen * mask_inside(motion))


def resize_flow(flow: HostArray, height: int, width: int) -> HostArray:
    """Scale a flow to another grid.

    Args:
        flow: (H, W, 2) in pixels.
        height: Of the grid, in pixels.
        width: Of the grid, in pixels.

    Returns:
        (height, width, 2), in that grid's pixels.
    """
    factors = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    return _resampled(flow, height, width) * factors


def resize_mask(mask: HostArray, height: int, width: int) -> HostArray:
    """Scale a mask to another grid.

    Args:
        mask: (H, W) in [0, 1].
        height: Of the grid, in pixels.
        width: Of the grid, in pixels.

    Returns:
        (height, width) in [0, 1].
    """
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
