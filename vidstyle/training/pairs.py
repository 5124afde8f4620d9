"""Pairs of consecutive images with the motion between them: what temporal losses learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch

from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import FRAME_MARGIN, targets


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
