"""From two pictures and an optical flow method to the flow layers of the later frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.grey import Grey8, grey8
from vidstyle.imaging.visibility import visibility

Directions = Literal["to_previous", "both"]
"""``both`` adds the layers on the previous frame's grid, for stages that look ahead."""

GreyFlow: TypeAlias = Callable[[Grey8, Grey8], HostArray]
"""Flow (H, W, 2) in pixels from the first picture (H, W) to the second."""

TO_PREVIOUS = ("flow", "visible")
FROM_PREVIOUS = ("flow_from_previous", "visible_from_previous")


def flow_layers(directions: Directions) -> tuple[str, ...]:
    """Names of the layers that ``pair_layers`` gives."""
    return TO_PREVIOUS if directions == "to_previous" else TO_PREVIOUS + FROM_PREVIOUS


def pair_layers(
    now: HostArray,
    previous: HostArray | None,
    method: GreyFlow,
    *,
    scale: float = 1.0,
    directions: Directions = "to_previous",
) -> dict[str, HostArray]:
    """Flow and visibility between a frame and the one before it; all 0 where there is none.

    ``now`` and ``previous`` are (H, W, 3) RGB in [0, 1]; ``scale`` in (0, 1] is the size at which
    the method sees them. See ``vidstyle.core.layers`` for what the layers mean.
    """
    if previous is None:
        return _nothing(now.shape[0], now.shape[1], directions)
    grey_now, grey_previous = (_reduced(grey8(picture), scale) for picture in (now, previous))
    height, width = now.shape[:2]
    to_previous = _enlarged(method(grey_now, grey_previous), height, width)
    from_previous = _enlarged(method(grey_previous, grey_now), height, width)
    layers = {"flow": to_previous, "visible": visibility(to_previous, from_previous)}
    if directions == "both":
        layers["flow_from_previous"] = from_previous
        layers["visible_from_previous"] = visibility(from_previous, to_previous)
    return layers


def _nothing(height: int, width: int, directions: Directions) -> dict[str, HostArray]:
    shapes = {
        name: (height, width, 2) if name.startswith("flow") else (height, width)
        for name in flow_layers(directions)
    }
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def _reduced(grey: Grey8, scale: float) -> Grey8:
    if scale == 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(flow: HostArray, height: int, width: int) -> HostArray:
    """The flow on a grid of (height, width) and in that grid's pixels."""
    small_height, small_width = flow.shape[:2]
    if (small_height, small_width) == (height, width):
        return flow
    larger = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
    larger *= np.array([width / small_width, height / small_height], np.float32)
    return np.asarray(larger, np.float32)
