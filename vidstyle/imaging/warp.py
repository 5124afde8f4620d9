"""Backward warping: bring another frame's image onto this frame's grid."""

from __future__ import annotations

from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray

FRAME_MARGIN = 0.05
"""Pixels that a position may lie outside of an image: noise in the flow of a still camera must not
blind the outermost ones."""
ByteMask: TypeAlias = npt.NDArray[np.uint8]
Kernel = Literal["bilinear", "cubic", "lanczos"]

_CODES: dict[Kernel, int] = {
    "bilinear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


def warp_image(image: HostArray, flow: HostArray, *, kernel: Kernel = "bilinear") -> HostArray:
    """Sample ``image`` where the flow points: ``image[y + flow[y, x, 1], x + flow[y, x, 0]]``.

    With the layer ``flow`` the image is the previous frame's and the result lies on this frame's
    grid. OpenCV may round positions to 1/32 pixel.

    Args:
        image: (H, W) or (H, W, C); outside of it its edge is repeated.
        flow: (h, w, 2) in pixels of ``image``.
        kernel: ``cubic`` (Keys, a = -0.75) and ``lanczos`` (8x8) keep detail that ``bilinear``
            blurs, and may leave the range of the image.

    Returns:
        (h, w) or (h, w, C).

    Raises:
        ValueError: One of them has another shape.
    """
    check_flow(flow)
    if image.ndim not in (2, 3):
        raise ValueError(f"an image to warp is (H, W) or (H, W, C), got {image.shape}")
    columns, rows = targets(flow)
    return sample(image, columns, rows, kernel=kernel)


def sample(
    image: HostArray,
    columns: HostArray,
    rows: HostArray,
    *,
    kernel: Kernel = "bilinear",
    out: HostArray | None = None,
) -> HostArray:
    """Sample ``image`` at positions that ``targets`` gave; see ``warp_image``.

    Args:
        image: (H, W) or (H, W, C).
        columns: (h, w) in pixels.
        rows: (h, w) in pixels.
        kernel: See ``warp_image``.
        out: Contiguous, of the result's shape: where the result is written.

    Returns:
        (h, w) or (h, w, C).
    """
    code, edge = _CODES[kernel], cv2.BORDER_REPLICATE
    result = cv2.remap(image, columns, rows, code, dst=out, borderMode=edge)
    return np.asarray(result, np.float32).reshape(*columns.shape, *image.shape[2:])


def targets(flow: HostArray) -> tuple[HostArray, HostArray]:
    """Give the positions that a flow leads to.

    Args:
        flow: (H, W, 2) in pixels.

    Returns:
        Columns and rows, (H, W) each, in pixels.
    """
    return positions(flow[..., 0], flow[..., 1])


def positions(across: HostArray, down: HostArray) -> tuple[HostArray, HostArray]:
    """Give ``targets`` of a flow whose planes lie apart, which is faster.

    Args:
        across: (H, W) in pixels.
        down: (H, W) in pixels.

    Returns:
        Columns and rows, (H, W) each, in pixels.
    """
    height, width = across.shape
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, np.newaxis]
    return np.add(across, columns), np.add(down, rows)


def inside(columns: HostArray, rows: HostArray, height: int, width: int) -> ByteMask:
    """Mark the positions that lie in an image, or at most 0.05 pixels outside.

    Args:
        columns: (H, W) in pixels.
        rows: (H, W) in pixels.
        height: Of the image, in pixels.
        width: Of the image, in pixels.

    Returns:
        (H, W), 255 inside and 0 outside.
    """
    across = cv2.inRange(columns, -FRAME_MARGIN, width - 1 + FRAME_MARGIN)
    down = cv2.inRange(rows, -FRAME_MARGIN, height - 1 + FRAME_MARGIN)
    return np.asarray(cv2.bitwise_and(across, down, dst=across), np.uint8)


def check_flow(flow: HostArray) -> None:
    """Check the shape of a flow.

    Args:
        flow: Any array.

    Raises:
        ValueError: It is not (H, W, 2).
    """
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f"flow is (H, W, 2), got {flow.shape}")
