"""The recurrent blend's previous output, on the grid of a new frame whose sides are even."""

from __future__ import annotations

from ctypes import c_float
from dataclasses import dataclass

import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.kernels.library import call, readable


@dataclass(frozen=True, slots=True, eq=False)
class WarpedChange:
    """What the previous output changes in a frame."""

    change: HostArray
    """(H, W, 3): their difference, weighted by confidence."""
    confidence: HostArray
    """(H, W) in [0, 1]."""
    half_change: HostArray
    """(h, w, 3), the means of 2x2 pixels."""
    half_confidence: HostArray
    """(h, w)."""


def warp_change(
    previous: HostArray,
    image: HostArray,
    flow: HostArray,
    moves: HostArray | None,
    near: HostArray,
    visible: HostArray,
    pixels: HostArray,
    lumas: tuple[HostArray, HostArray],
    *,
    small: HostArray,
    exponent: float,
    softness: float,
) -> WarpedChange:
    """Warp the previous output along the flow, and find its difference to the new image.

    Args:
        previous: (H, W, 3), the previous output.
        image: (H, W, 3), the new one.
        flow: (H, W, 2) pixels, to the previous frame.
        moves: (h, w), a factor of the flow; None is 1.
        near: (h, w), the agreement of the sources; times ``visible`` it is the confidence.
        visible: (H, W) in [0, 1].
        pixels: (h, w), squared distance of the sources, for what is hidden.
        lumas: (H, W) each, of this source and the one before.
        small: Half of the Gaussian that smooths the distance in luma: the middle and two beside.
        exponent: What turns a squared distance of hidden pixels into confidence; 0: they have none.
        softness: 0 samples bicubically, 1 bilinearly.

    Returns:
        The change, and the confidence in it.
    """
    height, width = visible.shape
    whole, half = (height, width), (height // 2, width // 2)
    result = WarpedChange(
        np.empty((*whole, 3), np.float32),
        np.empty(whole, np.float32),
        np.empty((*half, 3), np.float32),
        np.empty(half, np.float32),
    )
    call(
        "warp_change",
        *whole,
        readable(previous, *whole, 3),
        readable(image, *whole, 3),
        readable(flow, *whole, 2),
        None if moves is None else readable(moves, *half),
        readable(near, *half),
        readable(visible, *whole),
        readable(pixels, *half),
        *(readable(luma, *whole) for luma in lumas),
        readable(small, 3),
        c_float(exponent),
        c_float(softness),
        result.change,
        result.confidence,
        result.half_change,
        result.half_confidence,
    )
    return result
