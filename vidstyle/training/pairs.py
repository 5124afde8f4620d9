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
from vidstyle.training.photos import Image, resized


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
        """The next ``count`` pairs.

        They follow from the generator that the source was made with and from nothing else that
        changes: who gives the generator back an earlier state gets the same pairs again. Raises
        InputError where nothing can be read.
        """
        ...


def pair_of(previous: HostArray, current: HostArray, flow: HostArray, visible: HostArray) -> Pair:
    """One pair from host arrays: (H, W, 3) twice, (H, W, 2) and (H, W), as ``Pair`` has them."""
    return Pair(_tensor(previous), _tensor(current), _tensor(flow), _tensor(visible[..., None]))


def joined(pairs: Sequence[Pair]) -> Pair:
    """Pairs of one size as one value, in order."""
    if len(pairs) == 1:
        return pairs[0]
    return Pair(
        torch.cat([pair.previous for pair in pairs]),
        torch.cat([pair.current for pair in pairs]),
        torch.cat([pair.flow for pair in pairs]),
        torch.cat([pair.visible for pair in pairs]),
    )


def inside(flow: HostArray) -> HostArray:
    """1 where ``flow``, (H, W, 2) in pixels, leads to a point of the image, else 0; (H, W)."""
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
