"""An image as a decoder gives it: luma, and chroma of as many samples or fewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from vidstyle.core.clip import Matrix, Range
from vidstyle.core.layers import HostArray

Siting: TypeAlias = Literal["left", "center"]
"""Where a chroma sample lies across: on the left one of its two luma samples, or between them."""

Samples8: TypeAlias = npt.NDArray[np.uint8]
"""(H, W) code values."""


@dataclass(frozen=True, slots=True)
class PlaneFormat:
    """What the samples of planes stand for; equal formats, equal meaning."""

    chroma: tuple[int, int]
    """Luma samples a chroma sample, across and down; down, it lies between two lines."""
    matrix: Matrix
    """Matrix between RGB and luma and chroma."""
    range: Range
    """Whether black and white are 16 and 235 or 0 and 255."""
    siting: Siting = "center"
    """Of chroma across; ``center`` where there is as much of it as of luma."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Planes:
    """An opaque image of 8 bits as planes, which becomes RGB where somebody reads that.

    A source writes it for ``source``, and a stage may write it as a layer. Whoever can work on
    samples asks ``Frame.planes`` for it; all others see the RGB of the layer and nothing of this.

    Raises:
        ValueError: There are other than three planes, or chroma is not of the format's size.
    """

    samples: tuple[Samples8, ...]
    """Luma, blue and red difference. Nobody may write to them."""
    format: PlaneFormat
    """What they stand for."""
    to_rgb: Callable[[], HostArray]
    """Computes (H, W, 3) RGB in [0, 1]: the same each time, on any thread. It is called once."""

    def __post_init__(self) -> None:
        luma, *chroma = self.samples
        wanted = chroma_shape(luma.shape, self.format.chroma)
        if len(chroma) != 2 or not chroma[0].shape == chroma[1].shape == wanted:
            shapes = [plane.shape for plane in self.samples]
            raise ValueError(f"chroma of luma {luma.shape} is two planes {wanted}, got {shapes}")

    @property
    def luma(self) -> Samples8:
        """The first plane, (H, W)."""
        return self.samples[0]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the RGB that it becomes."""
        height, width = self.samples[0].shape
        return height, width, 3


def chroma_shape(luma: tuple[int, ...], chroma: tuple[int, int]) -> tuple[int, int]:
    """Compute the size of a chroma plane.

    Args:
        luma: Height and width of the luma plane.
        chroma: Luma samples a chroma sample, across and down.

    Returns:
        Height and width, rounded up.
    """
    across, down = chroma
    return -(-luma[0] // down), -(-luma[1] // across)
