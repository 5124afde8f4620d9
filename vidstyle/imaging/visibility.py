"""Which pixels of a frame are visible in the other frame of a pair, by the two flows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import FRAME_MARGIN, ByteMask, check_flow
from vidstyle.kernels.flow import mark_consistent, soften_mask
from vidstyle.kernels.library import has_kernels

BoolMask: TypeAlias = npt.NDArray[np.bool_]

CONSISTENCY_SLOPE, CONSISTENCY_FLOOR = 0.01, 0.5
"""Of the forward-backward inequality, in squared pixels."""
BOUNDARY_SLOPE, BOUNDARY_FLOOR = 0.01, 0.002
"""Of the motion boundary inequality, in squared pixels."""
SOFTNESS = 0.8
"""Standard deviation in pixels of the Gaussian that softens the mask."""
# Twice the central difference.
_CENTRAL = np.array([[-1, 0, 1]], np.float32)
# Pixels that are computed at once: what is between the steps (128 KiB each) stays in the cache.
_BAND = 32768


def visibility(
    flow: HostArray, flow_back: HostArray, *, shrink: int = 0, step: float = 1
) -> HostArray:
    """Mark the pixels whose content is visible where ``flow`` leads.

    The mask of ``consistent``, shrunk by a minimum filter that stops halos, then softened.

    Args:
        flow: (H, W, 2) pixels, from this frame to the other.
        flow_back: (H, W, 2) pixels, from the other frame to this one, on the other's grid.
        shrink: Pixels, at least 0.
        step: Of flows of reduced images: how many pixels of the frame one of theirs stands for.
            The inequalities are those of the frame.

    Returns:
        (H, W) in [0, 1].

    Raises:
        ValueError: The shapes differ, or ``shrink`` is negative.

    References:
        Ruder, Dosovitskiy and Brox 2016, Artistic Style Transfer for Videos, and their code.
    """
    if shrink < 0:
        raise ValueError(f"a mask shrinks by at least 0 pixels, got {shrink}")
    mask = _white_where_consistent(flow, flow_back, step)
    if shrink:
        mask = cv2.erode(mask, np.ones((2 * shrink + 1, 2 * shrink + 1), np.uint8)).astype(np.uint8)
    if has_kernels():
        return soften_mask(mask, weights_of_gaussian(SOFTNESS / step))
    soft = cv2.GaussianBlur(mask, (5, 5), SOFTNESS / step, borderType=cv2.BORDER_REPLICATE)
    return np.multiply(soft, np.float32(1 / 255), dtype=np.float32)


def consistent(flow: HostArray, flow_back: HostArray) -> BoolMask:
    """Mark where the two flows agree, away from motion boundaries, and inside the frame.

    With f the flow and b the flow back, read where f leads to, a pixel is occluded where
    ``|f + b|² > 0.01 (|f|² + |b|²) + 0.5`` and on a motion boundary where
    ``|∇u|² + |∇v|² > 0.01 |f|² + 0.002``.

    Args:
        flow: (H, W, 2) pixels, from this frame to the other.
        flow_back: (H, W, 2) pixels, from the other frame to this one, on the other's grid.

    Returns:
        (H, W), True where consistent.

    Raises:
        ValueError: The shapes differ.

    References:
        Sundaram, Brox and Keutzer 2010, Dense Point Trajectories by GPU-Accelerated Large
        Displacement Optical Flow, equations 5 and 6.
    """
    return _white_where_consistent(flow, flow_back, 1).astype(np.bool_)


@cache
def weights_of_gaussian(deviation: float) -> tuple[int, int, int]:
    """Give OpenCV's Gaussian of 5 pixels for bytes.

    Args:
        deviation: Standard deviation in pixels.

    Returns:
        Its weights from the middle to an end, in 256ths.
    """
    line = np.zeros((5, 9), np.uint8)
    line[:, 4] = 255
    smooth = cv2.GaussianBlur(line, (5, 5), deviation, borderType=cv2.BORDER_REPLICATE)
    # Of a white line, 255/256 of a weight up to 128 is rounded to the weight itself.
    side, far = map(int, smooth[2, 5:7])
    return 256 - 2 * (side + far), side, far


def _white_where_consistent(flow: HostArray, flow_back: HostArray, step: float) -> ByteMask:
    """255 where ``consistent`` is True, else 0."""
    _check_pair(flow, flow_back)
    height, width = flow.shape[:2]
    # The frame's edge lies beyond the middle of the outermost pixel of a reduced image.
    margin = FRAME_MARGIN / step + (1 - 1 / step) / 2
    if has_kernels() and min(height, width) >= 2:
        return mark_consistent(
            flow,
            flow_back,
            consistency=(CONSISTENCY_SLOPE, CONSISTENCY_FLOOR / step**2),
            boundary=(BOUNDARY_SLOPE * step**2, BOUNDARY_FLOOR),
            margin=margin,
        )
    # Planes: OpenCV samples one of them in less than half of the time that pairs take.
    back_u, back_v = (np.asarray(plane, np.float32) for plane in cv2.split(flow_back))
    mask: ByteMask = np.empty((height, width), np.uint8)
    rows = min(height, max(1, _BAND // width))
    # Allocated once: memory that is freed between the steps costs page faults.
    scratch = np.empty((7, rows + 2, width), np.float32)
    for first in range(0, height, rows):
        last = min(first + rows, height)
        u, v, *free = scratch[:, : last - first + 2]
        cv2.split(_with_rows_around(flow, first, last), [u, v])
        length, *free = (plane[1:-1] for plane in free)
        _squared(u[1:-1], v[1:-1], out=length)
        agree = _agree(u[1:-1], v[1:-1], length, (back_u, back_v), first, free, step)
        stable = _stable(u, v, length, free, step)
        np.multiply(agree & stable, np.uint8(255), out=mask[first:last])
    _clear_what_leaves(mask, flow, margin)
    return mask


def _with_rows_around(flow: HostArray, first: int, last: int) -> HostArray:
    """Rows ``first - 1`` to ``last`` inclusive; beyond the frame its edge is repeated."""
    rows = flow[max(first - 1, 0) : last + 1]
    missing = int(first == 0), int(last == len(flow))
    if not any(missing):
        return rows
    return np.asarray(cv2.copyMakeBorder(rows, *missing, 0, 0, cv2.BORDER_REPLICATE), np.float32)


def _agree(
    u: HostArray,
    v: HostArray,
    length: HostArray,
    back: tuple[HostArray, HostArray],
    first: int,
    scratch: Sequence[HostArray],
    step: float,
) -> BoolMask:
    """True where a band of flow, whose rows begin at ``first``, agrees with the flow back.

    ``length`` is |f|²; ``scratch`` four planes of the band's size, to be written to.
    """
    height, width = u.shape
    columns, rows, back_u, back_v = scratch
    np.add(u, np.arange(width, dtype=np.float32), out=columns)
    np.add(v, np.arange(first, first + height, dtype=np.float32)[:, np.newaxis], out=rows)
    for plane, there in zip(back, (back_u, back_v), strict=True):
        edge = cv2.BORDER_REPLICATE
        cv2.remap(plane, columns, rows, cv2.INTER_LINEAR, dst=there, borderMode=edge)
    lengths = _squared(back_u, back_v, out=columns)
    lengths += length
    back_u += u
    back_v += v
    gap = _squared(back_u, back_v, out=rows)
    return _at_most(gap, 1, lengths, CONSISTENCY_SLOPE, CONSISTENCY_FLOOR / step**2)


def _stable(
    u: HostArray, v: HostArray, length: HostArray, scratch: Sequence[HostArray], step: float
) -> BoolMask:
    """True away from motion boundaries, for planes with a row more above and below.

    Central differences; to the left and right the frame's edge is repeated.
    """
    steepness, other = scratch[:2]
    np.subtract(u[2:], u[:-2], out=steepness)
    np.subtract(v[2:], v[:-2], out=other)
    _squared(steepness, other, out=steepness)
    for plane in (u, v):
        cv2.accumulateSquare(_across(plane[1:-1], out=other), steepness)
    # The differences are over two pixels, and their squares four times too large.
    return _at_most(steepness, 0.25, length, BOUNDARY_SLOPE * step**2, BOUNDARY_FLOOR)


def _across(plane: HostArray, *, out: HostArray) -> HostArray:
    """Twice the slope from left to right."""
    cv2.filter2D(plane, cv2.CV_32F, _CENTRAL, dst=out, borderType=cv2.BORDER_REPLICATE)
    return out


def _squared(u: HostArray, v: HostArray, *, out: HostArray) -> HostArray:
    """u² + v²; ``out`` may be ``u``."""
    np.multiply(u, u, out=out)
    cv2.accumulateSquare(v, out)
    return out


def _at_most(
    left: HostArray, weight: float, right: HostArray, slope: float, floor: float
) -> BoolMask:
    """True where ``weight · left <= slope · right + floor``; False where one is NaN.

    ``left`` is written to.
    """
    cv2.addWeighted(left, weight, right, -slope, -floor, dst=left)
    below: BoolMask = left <= 0
    return below


def _clear_what_leaves(mask: ByteMask, flow: HostArray, margin: float) -> None:
    """Set ``mask`` to 0 where the flow leads further than ``margin`` out of the image."""
    # Only so near to an edge can anything leave; the longer side stands for what is not finite.
    reach = math.ceil(min(max(mask.shape), cv2.norm(flow, cv2.NORM_INF)))
    for across, size in ((True, mask.shape[1]), (False, mask.shape[0])):
        for part in (slice(0, reach), slice(max(0, size - reach), size)):
            position = np.arange(size, dtype=np.float32)[part]
            if across:
                mask[:, part] *= _inside(flow[:, part, 0] + position, size, margin)
            else:
                mask[part] *= _inside(flow[part, :, 1] + position[:, np.newaxis], size, margin)


def _inside(position: HostArray, size: int, margin: float) -> BoolMask:
    inside: BoolMask = (position >= -margin) & (position <= size - 1 + margin)
    return inside


def _check_pair(flow: HostArray, flow_back: HostArray) -> None:
    check_flow(flow)
    if flow.shape != flow_back.shape:
        raise ValueError(
            f"a flow and the flow back have one shape, got {flow.shape} and {flow_back.shape}"
        )
