"""Which pixels of a frame can be seen in the other frame of a pair, from the two flows."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import check_flow, sample, targets

BoolMask: TypeAlias = npt.NDArray[np.bool_]

CONSISTENCY_SLOPE, CONSISTENCY_FLOOR = 0.01, 0.5
"""Of the forward-backward inequality, in squared pixels."""
BOUNDARY_SLOPE, BOUNDARY_FLOOR = 0.01, 0.002
"""Of the motion boundary inequality, in squared pixels."""
SOFTNESS = 0.8
"""Standard deviation in pixels of the Gaussian that softens the mask."""
_BAND = 12288
# Pixels that are computed at once: their temporaries (under 128 KiB) stay in the cache, and are
# reused by the allocator; whole pictures are given back to the system and cost page faults.
_FRAME_MARGIN = 0.05
# In pixels. Without it, noise in the flow of a still camera blinds the outermost pixels.


def visibility(flow: HostArray, flow_back: HostArray, *, shrink: int = 0) -> HostArray:
    """How surely what a pixel shows can be found where ``flow`` leads to.

    Both flows are (H, W, 2) in pixels: ``flow`` from this frame's grid to the other frame,
    ``flow_back`` from the other frame's grid to this one. The result is (H, W) in [0, 1]: the mask
    of ``consistent``, made ``shrink`` pixels smaller (a minimum filter that stops halos), then
    softened as by Ruder et al. 2016. Raises ValueError where the shapes differ.
    """
    if shrink < 0:
        raise ValueError(f"a mask shrinks by at least 0 pixels, got {shrink}")
    mask = consistent(flow, flow_back).view(np.uint8) * np.uint8(255)
    if shrink:
        mask = cv2.erode(mask, np.ones((2 * shrink + 1, 2 * shrink + 1), np.uint8)).astype(np.uint8)
    soft = cv2.GaussianBlur(mask, (5, 5), SOFTNESS, borderType=cv2.BORDER_REPLICATE)
    return np.multiply(soft, np.float32(1 / 255), dtype=np.float32)


def consistent(flow: HostArray, flow_back: HostArray) -> BoolMask:
    """True where the two flows agree, away from motion boundaries, and inside the frame.

    With f the flow and b the flow back, read where f leads to, a pixel is occluded where
    ``|f + b|² > 0.01 (|f|² + |b|²) + 0.5`` and on a motion boundary where
    ``|∇u|² + |∇v|² > 0.01 |f|² + 0.002`` (Sundaram, Brox and Keutzer 2010, equations 5 and 6).
    Shapes as for ``visibility``.
    """
    _check_pair(flow, flow_back)
    height, width = flow.shape[:2]
    mask: BoolMask = np.empty((height, width), np.bool_)
    rows = max(1, _BAND // width)
    for first in range(0, height, rows):
        last = min(first + rows, height)
        mask[first:last] = _consistent_rows(flow, flow_back, first, last)
    return mask


def _consistent_rows(flow: HostArray, flow_back: HostArray, first: int, last: int) -> BoolMask:
    """Rows ``first`` to ``last`` of the mask."""
    height, width = flow_back.shape[:2]
    columns, rows = targets(flow[first:last], first)
    u, v = _planes(flow[first:last])
    back_u, back_v = _planes(sample(flow_back, columns, rows))
    length = u * u + v * v
    gap = _square(u + back_u) + _square(v + back_v)
    bound = CONSISTENCY_SLOPE * (length + back_u * back_u + back_v * back_v) + CONSISTENCY_FLOOR
    smooth = _steepness(flow, first, last) <= BOUNDARY_SLOPE * length + BOUNDARY_FLOOR
    mask: BoolMask = (gap <= bound) & smooth & _inside(columns, width) & _inside(rows, height)
    return mask


def _steepness(flow: HostArray, first: int, last: int) -> HostArray:
    """|∇u|² + |∇v|² with central differences, the frame's edge repeated, for some rows."""
    above, below = max(first - 1, 0), min(last + 1, len(flow))
    total: HostArray = np.zeros((last - first, flow.shape[1]), np.float32)
    for dx, dy in ((1, 0), (0, 1)):
        slope = _slope(flow[above:below], dx, dy)[first - above : last - above]
        for plane in _planes(slope):
            total += plane * plane
    return total


def _slope(flow: HostArray, dx: int, dy: int) -> HostArray:
    border = cv2.BORDER_REPLICATE
    slope = cv2.Sobel(flow, cv2.CV_32F, dx, dy, ksize=1, scale=0.5, borderType=border)
    return np.asarray(slope, np.float32)


def _planes(pairs: HostArray) -> tuple[HostArray, HostArray]:
    u, v = cv2.split(pairs)
    return np.asarray(u, np.float32), np.asarray(v, np.float32)


def _inside(position: HostArray, size: int) -> BoolMask:
    inside: BoolMask = (position >= -_FRAME_MARGIN) & (position <= size - 1 + _FRAME_MARGIN)
    return inside


def _square(array: HostArray) -> HostArray:
    return array * array


def _check_pair(flow: HostArray, flow_back: HostArray) -> None:
    check_flow(flow)
    if flow.shape != flow_back.shape:
        raise ValueError(
            f"a flow and the flow back have one shape, got {flow.shape} and {flow_back.shape}"
        )
