"""Optical flow by dense inverse search, both ways at once."""

from __future__ import annotations

import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.kernels.library import AnyArray, call, readable

SHORTEST_SIDE = 32
"""Pixels that images have to have: four patches of 8."""


def search_both(
    first: AnyArray,
    second: AnyArray,
    *,
    spacing: int,
    steps: int,
    rounds: int,
    sweeps: int,
    smoothness: float,
    brightness: float,
    slopes: float,
    damping: float,
) -> tuple[HostArray, HostArray]:
    """Find the flow between two images, both ways.

    Patches of 8 pixels, whose means do not count, begin at the flow of smaller images, take over
    what their neighbors found where that is nearer, and descend. Their flow is refined at each
    size by that of least energy.

    Args:
        first: (H, W), 8 bits; no side under ``SHORTEST_SIDE``.
        second: Of the same shape.
        spacing: Pixels between patches, at most 8.
        steps: Of the descent.
        rounds: Of the refinement; 0 leaves it out.
        sweeps: In a round.
        smoothness: Weight of a smooth flow in the energy.
        brightness: Weight of equal brightness.
        slopes: Weight of equal slopes of brightness.
        damping: Added to the diagonal of a patch's Hessian; over 0.

    Returns:
        (H, W, 2) each, in pixels: from the first image to the second, and back.

    Raises:
        ValueError: Images are too small, patches would leave gaps, or nothing is damped.

    References:
        Kroeger, Timofte, Dai and Van Gool 2016, Fast Optical Flow using Dense Inverse Search;
        Brox, Bruhn, Papenberg and Weickert 2004, High Accuracy Optical Flow Estimation Based on a
        Theory for Warping.
    """
    height, width = first.shape
    if min(height, width) < SHORTEST_SIDE:
        raise ValueError(f"a side has at least {SHORTEST_SIDE} pixels, got {first.shape}")
    if damping <= 0:
        raise ValueError(f"damping is over 0, got {damping}")
    if not 1 <= spacing <= 8:
        raise ValueError(f"patches lie 1 to 8 pixels apart, got {spacing}")
    there, back = (np.empty((height, width, 2), np.float32) for _ in range(2))
    call(
        "search_both",
        height,
        width,
        readable(first, height, width, kind="uint8"),
        readable(second, height, width, kind="uint8"),
        np.array([spacing, steps, rounds, sweeps], np.int32),
        np.array([smoothness, brightness, slopes, damping], np.float32),
        there,
        back,
    )
    return there, back
