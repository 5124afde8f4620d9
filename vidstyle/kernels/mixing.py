"""The recurrent blend's last pass over frames whose sides are even."""

from __future__ import annotations

from ctypes import c_float
from dataclasses import dataclass

import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.kernels.blend import WarpedChange
from vidstyle.kernels.library import call, readable

# Pixels on each side that the Gaussian of contrast reads: as in mixing.c.
_AREA_REACH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Sharpening:
    """How the fine detail of a mixed frame is amplified to a given local contrast."""

    edges: HostArray
    """(h, w): mean squares of the Laplacian over 2x2 pixels, of the image to be compared with."""
    part: HostArray
    """(h, w), of the gain, in [0, 1]."""
    limit: float
    """Largest gain, at least 1."""
    floor: float
    """Added to mean squares."""
    average: HostArray
    """Half of the Gaussian that contrast is averaged with: its middle and four beside."""
    kernel: HostArray
    """What finds fine detail, 3x3 and symmetric: its middle, a side and a corner."""


def mix_change(
    image: HostArray,
    warped: WarpedChange,
    fine: HostArray,
    coarse: HostArray,
    ahead: HostArray | None = None,
    ahead_fine: HostArray | None = None,
    sharpening: Sharpening | None = None,
) -> HostArray:
    """Add the change to an image, ``change · fine + coarse · confidence + ahead``, and sharpen it.

    Args:
        image: (H, W, 3).
        warped: The change.
        fine: (h, w), its weight.
        coarse: (h, w, 3).
        ahead: (h, w, 3), or None.
        ahead_fine: (H, W, 3), or None.
        sharpening: Of the result, in the weight of the confidence; None: it stays as it is.

    Returns:
        (H, W, 3) in [0, 1].
    """
    height, width, _ = image.shape
    whole, half = (height, width), (height // 2, width // 2)
    mixed = np.empty((*whole, 3), np.float32)
    given: list[HostArray | None] = [None] * 4
    if sharpening is not None:
        given[0] = readable(sharpening.edges, *half)
        given[1] = readable(sharpening.part, *half)
        given[2] = readable(sharpening.average, _AREA_REACH + 1)
        given[3] = readable(sharpening.kernel, 3)
    call(
        "mix_change",
        *whole,
        readable(image, *whole, 3),
        readable(warped.change, *whole, 3),
        readable(warped.confidence, *whole),
        readable(fine, *half),
        readable(coarse, *half, 3),
        None if ahead is None else readable(ahead, *half, 3),
        None if ahead_fine is None else readable(ahead_fine, *whole, 3),
        *given,
        c_float(sharpening.limit if sharpening else 1),
        c_float(sharpening.floor if sharpening else 0),
        mixed,
    )
    return mixed
