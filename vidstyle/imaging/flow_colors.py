"""Flow as colors: hue is the direction, saturation the length."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.contact_sheet import Image
from vidstyle.imaging.visibility import BoolMask
from vidstyle.imaging.warp import check_flow

# Steps from red to yellow, green, cyan, blue, magenta and back: the eye distinguishes more oranges
# than greens.
_ARCS: Final = (15, 6, 4, 11, 13, 6)
# Of the full color, for flow over ``longest``.
_BEYOND: Final = 0.75


def flow_colors(flow: HostArray, *, longest: float | None = None) -> Image:
    """Show a flow in the colors of the Middlebury wheel.

    No motion is white; a flow of ``longest`` pixels has the full color: red to the right, amber
    down, cyan to the left, violet up. Longer flow is darker. Flow that is not finite is black.

    Args:
        flow: (H, W, 2) in pixels.
        longest: Above 0; the flow's own longest by default.

    Returns:
        (H, W, 3) RGB, 0 to 255.

    Raises:
        ValueError: The flow has another shape, or ``longest`` is not positive.

    References:
        Baker et al. 2011, A Database and Evaluation Methodology for Optical Flow.
    """
    check_flow(flow)
    known: BoolMask = np.asarray(np.isfinite(flow).all(axis=2, keepdims=True))
    u, v = np.moveaxis(np.where(known, flow, 0).astype(np.float64), 2, 0)
    length = np.hypot(u, v)
    if longest is None:
        longest = float(length.max(initial=0)) or 1.0
    if not longest > 0:
        raise ValueError(f"the longest flow is over 0 pixels, got {longest}")
    length = (length / longest)[..., np.newaxis]
    hue = _hue(u, v)
    # A hair over 1 is rounding of the longest itself.
    shade = np.where(length <= 1 + 1e-6, 1 - np.minimum(length, 1) * (1 - hue), hue * _BEYOND)
    return np.where(known, np.floor(255 * shade), 0).astype(np.uint8)


def _hue(u: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Full colors in [0, 1] of the directions, between the two steps of the wheel around each."""
    wheel = _wheel()
    # Adding 0 makes -0 a 0: straight to the right would lie on both ends of the wheel.
    position = (np.arctan2(-(v + 0.0), -u) / np.pi + 1) / 2 * (len(wheel) - 1)
    below = np.floor(position).astype(np.intp)
    part = (position - below)[..., np.newaxis]
    return (1 - part) * wheel[below] + part * wheel[(below + 1) % len(wheel)]


def _wheel() -> npt.NDArray[np.float64]:
    """The colors of its steps, (55, 3) in [0, 1], whole in 255ths as published."""
    corners = np.array(
        [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]], np.float64
    )
    arcs = []
    for steps, start, end in zip(_ARCS, corners, np.roll(corners, -1, axis=0), strict=True):
        moved = np.floor(255 * np.arange(steps) / steps)[:, np.newaxis] / 255
        arcs.append(start + moved * (end - start))
    return np.concatenate(arcs)
