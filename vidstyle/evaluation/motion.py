"""What the evaluator's optical flow says about two frames of the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.visibility import (
    CONSISTENCY_FLOOR,
    CONSISTENCY_SLOPE,
    BoolMask,
    consistent,
)
from vidstyle.imaging.warp import FRAME_MARGIN, targets, warp_image

PairFlow: TypeAlias = Callable[[HostArray, HostArray], tuple[HostArray, HostArray]]
"""Both flows (H, W, 2) in pixels of a pair of images (H, W, 3) RGB in [0, 1]: from the first to
the second on the grid of the first, and from the second to the first on the grid of the second.

An evaluator must not use the flow of the blend: a blend is always right about its own motion.
"""

NEAR_OCCLUSIONS = 5
"""Pixels around an occlusion in which ghosting is measured."""
STILL = 0.2
"""Pixels: what moves less stands still."""


@dataclass(frozen=True, eq=False, repr=False)
class PairMotion:
    """Motion between an earlier and a later frame; masks are computed once, when asked for."""

    forward: HostArray
    """(H, W, 2) pixels, on the grid of the earlier frame."""
    backward: HostArray
    """(H, W, 2) pixels, on the grid of the later frame."""

    @cached_property
    def mask(self) -> BoolMask:
        """Where the flow holds, on the grid of the earlier frame: as ``visibility.consistent``."""
        return consistent(self.forward, self.backward)

    @cached_property
    def near_occlusions(self) -> BoolMask:
        """Within 5 px of what the earlier frame does not show, on the grid of the later frame."""
        seen = ~occluded(self.backward, self.forward)
        if seen.all():
            return np.zeros_like(seen)
        away = cv2.distanceTransform(seen.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return np.asarray(away <= NEAR_OCCLUSIONS, np.bool_)

    @cached_property
    def still(self) -> BoolMask:
        """Where both flows are shorter than 0.2 px."""
        return _still(self.forward) & _still(self.backward)


def pair_motion(first: HostArray, second: HostArray, flow: PairFlow) -> PairMotion:
    """Find the motion between two frames of the source.

    Args:
        first: The earlier one, (H, W, 3) RGB in [0, 1].
        second: The later one, of the same shape.
        flow: The optical flow that evaluates.

    Returns:
        Both flows, and the masks that follow from them.
    """
    return PairMotion(*flow(first, second))


def occluded(flow: HostArray, flow_back: HostArray) -> BoolMask:
    """Mark the pixels whose content is hidden in the other frame, or outside of it.

    Only the forward-backward inequality ``|f + b|² > 0.01 (|f|² + |b|²) + 0.5`` counts: a motion
    boundary that hides nothing is no occlusion.

    Args:
        flow: (H, W, 2) pixels, from this frame to the other.
        flow_back: (H, W, 2) pixels, from the other frame to this one, on the other's grid.

    Returns:
        (H, W), True where hidden.

    References:
        Sundaram, Brox and Keutzer 2010, Dense Point Trajectories by GPU-Accelerated Large
        Displacement Optical Flow, equation 5.
    """
    back = warp_image(flow_back, flow)
    gap = np.square(flow + back).sum(2)
    bound = CONSISTENCY_SLOPE * (np.square(flow) + np.square(back)).sum(2) + CONSISTENCY_FLOOR
    height, width = flow.shape[:2]
    columns, rows = targets(flow)
    hidden: BoolMask = (gap > bound) | _outside(columns, width) | _outside(rows, height)
    return hidden


def _outside(position: HostArray, size: int) -> BoolMask:
    outside: BoolMask = (position < -FRAME_MARGIN) | (position > size - 1 + FRAME_MARGIN)
    return outside


def _still(flow: HostArray) -> BoolMask:
    short: BoolMask = np.square(flow).sum(2) < STILL**2
    return short
