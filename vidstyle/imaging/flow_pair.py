"""From two images and an optical flow method to the flow layers of the later frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core.layers import HostArray
from vidstyle.core.planes import Planes
from vidstyle.imaging.derived import Gray8, gray8
from vidstyle.imaging.strokes import find_scale
from vidstyle.imaging.visibility import visibility
from vidstyle.kernels.flow import FACTORS, double_mask, enlarge_flow
from vidstyle.kernels.library import has_kernels

Directions = Literal["to_previous", "both"]
"""Visibility needs the flow both ways, so the other flow costs nothing; ``both`` adds visibility in
the other direction, for stages that warp images back."""

GrayFlow: TypeAlias = Callable[[Gray8, Gray8], HostArray]
"""Flow (H, W, 2) in pixels from the first image (H, W) to the second."""

GrayPairFlow: TypeAlias = Callable[[Gray8, Gray8], tuple[HostArray, HostArray]]
"""Flows (H, W, 2) in pixels from the first image (H, W) to the second, and back."""

FlowScale: TypeAlias = Annotated[float, Field(gt=0, le=1)] | Literal["auto"]
"""The size at which images are compared, relative to the frame. ``auto`` compares images of about
640x360 or the frame itself, as ``find_scale`` does for strokes, and finds visibility there, too."""

TO_PREVIOUS = ("flow", "visible", "flow_from_previous")
FROM_PREVIOUS = ("visible_from_previous",)


def flow_scale_option() -> Any:
    """Declare the option ``scale`` of a stage.

    Returns:
        The field of a pydantic model.
    """
    return Field(
        1.0,
        description="Flow is computed on images of this size, relative to the frame. auto computes"
        " flow and visibility on images of about 640x360, which is several times as fast at"
        " 1920x1080.",
    )


def both_ways(method: GrayFlow) -> GrayPairFlow:
    """Call a method for each direction.

    Args:
        method: The optical flow from one image to another.

    Returns:
        That from the first to the second, and back.
    """
    return lambda first, second: (method(first, second), method(second, first))


def flow_layers(directions: Directions) -> tuple[str, ...]:
    """Give the names of the layers of a pair.

    Args:
        directions: Whether visibility is wanted both ways.

    Returns:
        Names as in ``vidstyle.core.layers``.
    """
    return TO_PREVIOUS if directions == "to_previous" else TO_PREVIOUS + FROM_PREVIOUS


def pair_layers(
    now: HostArray | Planes,
    previous: HostArray | Planes | None,
    method: GrayPairFlow,
    *,
    scale: FlowScale = 1.0,
    level: int = 0,
    directions: Directions = "to_previous",
    gray: Callable[[HostArray | Planes], Gray8] = gray8,
) -> dict[str, HostArray]:
    """Compute flow and visibility between a frame and the one before it; 0 where there is none.

    Flow that is no finer than half of the frame is checked at half of its size.

    Args:
        now: (H, W, 3) RGB in [0, 1], or planes.
        previous: Of the same shape; None on the first frame of a shot.
        method: The optical flow, both ways.
        scale: The size at which the images are compared.
        level: How often that is halved before the method sees them.
        directions: Whether visibility is wanted both ways.
        gray: ``gray8``, or a cache of it.

    Returns:
        Layers by name, as ``vidstyle.core.layers`` describes them.
    """
    height, width = now.shape[:2]
    if previous is None:
        return no_flow(height, width, directions)
    compared = _compared_size(height, width, scale)
    size = reduced_size(*compared, 0.5**level)
    gray_previous, gray_now = (_reduced(gray(image), size) for image in (previous, now))
    flows = method(gray_now, gray_previous)
    layers = dict(zip(("flow", "flow_from_previous"), flows, strict=True))
    # Its own pixels count where images are compared at a size of their own.
    counted = compared if scale == "auto" else (height, width)
    half = min(compared, reduced_size(height, width, 0.5))
    checked = half if max(size) <= max(half) else counted
    step = counted[0] / checked[0]
    pair = [enlarged_flow(flow, *checked) for flow in flows]
    layers["visible"] = visibility(*pair, step=step)
    if directions == "both":
        layers["visible_from_previous"] = visibility(*pair[::-1], step=step)
    return {name: _enlarged(layers[name], height, width) for name in flow_layers(directions)}


def layers_of_flows(
    to_previous: HostArray, from_previous: HostArray, directions: Directions
) -> dict[str, HostArray]:
    """Give the layers of a pair from its flows.

    Args:
        to_previous: (H, W, 2) in pixels, on the grid of the later frame.
        from_previous: (H, W, 2) in pixels, on the grid of the earlier frame.
        directions: Whether visibility is wanted both ways.

    Returns:
        Layers by name.
    """
    layers = {
        "flow": to_previous,
        "visible": visibility(to_previous, from_previous),
        "flow_from_previous": from_previous,
    }
    if directions == "both":
        layers["visible_from_previous"] = visibility(from_previous, to_previous)
    return layers


def no_flow(height: int, width: int, directions: Directions) -> dict[str, HostArray]:
    """Give the layers of a frame without a previous one: all 0.

    Args:
        height: Of the frame, in pixels.
        width: Of the frame, in pixels.
        directions: Whether visibility is wanted both ways.

    Returns:
        Layers by name.
    """
    shapes = {
        name: (height, width, 2) if name.startswith("flow") else (height, width)
        for name in flow_layers(directions)
    }
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def reduced_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Scale the size of an image.

    Args:
        height: In pixels.
        width: In pixels.
        scale: In (0, 1].

    Returns:
        Height and width, at least 1 each.
    """
    return max(1, round(height * scale)), max(1, round(width * scale))


def enlarged_flow(flow: HostArray, height: int, width: int) -> HostArray:
    """Enlarge a flow of smaller images, bilinearly.

    Args:
        flow: (h, w, 2) in pixels of the smaller images.
        height: Of the result, in pixels.
        width: Of the result, in pixels.

    Returns:
        (height, width, 2) in its own pixels; ``flow`` itself where the size is the same.
    """
    small_height, small_width = flow.shape[:2]
    if (small_height, small_width) == (height, width):
        return flow
    factor = height // small_height
    whole = (factor * small_height, factor * small_width) == (height, width)
    if whole and factor in FACTORS and has_kernels():
        return enlarge_flow(flow, factor)
    # Before it is enlarged there is less to multiply.
    flow = flow * np.array([width / small_width, height / small_height], np.float32)
    larger = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32)


def _compared_size(height: int, width: int, scale: FlowScale) -> tuple[int, int]:
    if scale != "auto":
        return reduced_size(height, width, scale)
    found = find_scale("auto", height, width)
    return found.small if found else (height, width)


def _reduced(gray: Gray8, size: tuple[int, int]) -> Gray8:
    if gray.shape == size:
        return gray
    return np.asarray(cv2.resize(gray, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(layer: HostArray, height: int, width: int) -> HostArray:
    """A flow, or its visibility, of smaller images."""
    if layer.ndim == 3:
        return enlarged_flow(layer, height, width)
    if layer.shape == (height, width):
        return layer
    if (2 * layer.shape[0], 2 * layer.shape[1]) == (height, width) and has_kernels():
        return double_mask(layer)
    larger = cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32)
