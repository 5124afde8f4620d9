"""The flow stage's kernels: flows enlarged, and where two of them agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.kernels.library import call, readable

FACTORS = (2, 4)
"""By which ``enlarge_flow`` enlarges."""


def enlarge_flow(flow: HostArray, factor: int) -> HostArray:
    """Enlarge a flow bilinearly, as ``cv2.resize`` does.

    Args:
        flow: (h, w, 2) in its own pixels.
        factor: One of ``FACTORS``.

    Returns:
        (factor · h, factor · w, 2) in its own pixels.

    Raises:
        ValueError: It is another factor.
    """
    if factor not in FACTORS:
        raise ValueError(f"a flow is enlarged by one of {FACTORS}, got {factor}")
    height, width, _ = flow.shape
    large = np.empty((factor * height, factor * width, 2), np.float32)
    call("enlarge_flow", height, width, readable(flow, height, width, 2), factor, large)
    return large


def double_mask(mask: HostArray) -> HostArray:
    """Enlarge a mask to twice its sides, bilinearly.

    Args:
        mask: (h, w).

    Returns:
        (2 h, 2 w).
    """
    height, width = mask.shape
    large = np.empty((2 * height, 2 * width), np.float32)
    call("double_mask", height, width, readable(mask, height, width), large)
    return large


def mark_consistent(
    flow: HostArray,
    flow_back: HostArray,
    *,
    consistency: tuple[float, float],
    boundary: tuple[float, float],
    margin: float,
) -> npt.NDArray[np.uint8]:
    """Mark where the two flows agree; see ``vidstyle.imaging.visibility.consistent``.

    Args:
        flow: (H, W, 2) pixels; both sides at least 2.
        flow_back: (H, W, 2) pixels.
        consistency: Slope and floor of the forward-backward inequality, in squared pixels.
        boundary: The same of the motion boundary inequality.
        margin: Pixels that the flow may lead out of the frame.

    Returns:
        (H, W), 255 where consistent, 0 elsewhere.

    Raises:
        ValueError: A side is less than 2.
    """
    height, width, _ = flow.shape
    if min(height, width) < 2:
        raise ValueError(f"a kernel compares flows of at least 2x2 pixels, got {flow.shape}")
    mask = np.empty((height, width), np.uint8)
    call(
        "mark_consistent",
        height,
        width,
        readable(flow, height, width, 2),
        readable(flow_back, height, width, 2),
        np.array([*consistency, *boundary, margin], np.float32),
        mask,
    )
    return mask


def soften_mask(mask: npt.NDArray[np.uint8], weights: Sequence[int]) -> HostArray:
    """Smooth a mask by a symmetric kernel of 5x5, and bring it to [0, 1].

    Args:
        mask: (H, W), 0 to 255; rounded to whole numbers before it is divided by 255.
        weights: Of the kernel's middle, beside it, and at its end, in 256ths.

    Returns:
        (H, W) in [0, 1].

    Raises:
        ValueError: The weights are not three, or do not add up to 256.
    """
    if len(weights) != 3 or weights[0] + 2 * sum(weights[1:]) != 256:
        raise ValueError(f"weights of a kernel add up to 256 on both sides, got {weights}")
    height, width = mask.shape
    soft = np.empty((height, width), np.float32)
    call(
        "soften_mask",
        height,
        width,
        readable(mask, height, width, kind="uint8"),
        np.array(weights, np.uint16),
        soft,
    )
    return soft
