"""How far each pixel of a neighboring frame can be trusted, seen from this frame's grid."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.agreement import agreement, photometric_distance, pixel_distance
from vidstyle.imaging.warp import check_flow, inside, sample, targets


def confidence(
    source: HostArray,
    neighbor: HostArray,
    flow: HostArray,
    visible: HostArray,
    *,
    tolerance: float,
    tolerance_hidden: float,
) -> HostArray:
    """Near 1 where ``neighbor``, read along the flow, shows what ``source`` shows; (H, W).

    Both images are (H, W, 3) in [0, 1], ``flow`` (H, W, 2) leads from this frame's grid to the
    neighbor's, and ``visible`` (H, W) is 1 where flow says that it can be followed. There the
    locally averaged images have to agree within ``tolerance``; where flow says hidden, which is
    often wrong, they have to pixel for pixel within ``tolerance_hidden``, and 0 trusts none of
    it. Outside of the neighbor trust is 0. Raises ValueError for a flow of another shape and
    for a ``tolerance`` that is not positive.
    """
    check_flow(flow)
    columns, rows = targets(flow)
    there = sample(neighbor, columns, rows)
    distance = photometric_distance(source, there)
    sure: HostArray = np.multiply(visible, agreement(distance, tolerance))
    if tolerance_hidden == 0:
        return sure
    np.maximum(distance, pixel_distance(source, there), out=distance)
    hidden = np.subtract(1, visible, dtype=np.float32)
    hidden *= agreement(distance, tolerance_hidden)
    cv2.add(sure, hidden, dst=sure, mask=inside(columns, rows, *visible.shape))
    return sure


def without_creep(flow: HostArray, least: float) -> HostArray:
    """``flow`` (H, W, 2) with motion shorter than ``least`` pixels set to 0.

    Flow of what stands still is not quite 0, and to sample between pixels blurs.
    """
    check_flow(flow)
    u, v = cv2.split(flow)
    moves = cv2.magnitude(u, v) >= least
    return np.asarray(cv2.copyTo(flow, moves.view(np.uint8), np.zeros_like(flow)), np.float32)
