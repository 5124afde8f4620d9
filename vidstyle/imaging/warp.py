"""Backward warping: bring another frame's picture onto this frame's grid."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

Kernel = Literal["bilinear", "cubic", "lanczos"]

_CODES: dict[Kernel, int] = {
    "bilinear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


def warp(picture: HostArray, flow: HostArray, *, kernel: Kernel = "bilinear") -> HostArray:
    """Sample ``picture`` where the flow points to.

    ``result[y, x] = picture[y + flow[y, x, 1], x + flow[y, x, 0]]``. With the layer ``flow``
    the picture is the previous frame's and the result lies on the current frame's grid.

    ``picture`` is (H, W) or (H, W, C), ``flow`` (h, w, 2) in pixels of ``picture``; the result is
    (h, w) or (h, w, C) float32. Outside of the picture its edge is repeated. ``cubic``
    (Keys, a = -0.75) and ``lanczos`` (8x8) keep detail that ``bilinear`` blurs and may leave the
    range of the picture. Positions are rounded to 1/32 pixel. Raises ValueError for other shapes.
    """
    check_flow(flow)
    if picture.ndim not in (2, 3):
        raise ValueError(f"a picture to warp is (H, W) or (H, W, C), got {picture.shape}")
    columns, rows = targets(flow)
    return sample(picture, columns, rows, kernel=kernel)


def sample(
    picture: HostArray, columns: HostArray, rows: HostArray, *, kernel: Kernel = "bilinear"
) -> HostArray:
    """Sample ``picture`` at positions that ``targets`` gave; see ``warp``."""
    result = cv2.remap(
        picture, columns, rows, interpolation=_CODES[kernel], borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(result, np.float32).reshape(*columns.shape, *picture.shape[2:])


def targets(flow: HostArray, first_row: int = 0) -> tuple[HostArray, HostArray]:
    """Columns and rows, each (H, W) in pixels, of the points that ``flow`` (H, W, 2) leads to.

    ``first_row`` is where the flow's rows begin, where it is a band of a picture.
    """
    return places(flow[..., 0], flow[..., 1], first_row)


def places(across: HostArray, down: HostArray, first_row: int = 0) -> tuple[HostArray, HostArray]:
    """``targets`` of a flow whose two planes, (H, W) each, lie apart: this is faster."""
    height, width = across.shape
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(first_row, first_row + height, dtype=np.float32)[:, np.newaxis]
    return np.add(across, columns), np.add(down, rows)


def check_flow(flow: HostArray) -> None:
    """Raise ValueError where ``flow`` is not (H, W, 2)."""
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f"flow is (H, W, 2), got {flow.shape}")
