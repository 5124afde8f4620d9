"""How much memory a network takes while it paints, measured at 1920x1080 and 3840x2160."""

from __future__ import annotations

from collections.abc import Mapping

from vidstyle.core.context import Precision
from vidstyle.models.openvino.strips import UNIT, strips_of
from vidstyle.models.style.backends import Backend
from vidstyle.models.style.style_file import Architecture, StyleInfo

_CHANNELS: Mapping[Architecture, float] = {
    "fast": 2.2,
    "johnson": 4.0,
    "johnson-fractional": 2.0,
}
"""That are held for each pixel of the image at the worst moment, in widths of the network."""
_KEPT: Mapping[Architecture, float] = {
    "fast": 13 / 16,
    "johnson": 3 / 4,
    "johnson-fractional": 3 / 4,
}
"""The same where it is painted strip by strip; for the strip in work there is more."""
_STRIP = 16
"""Widths of the network for each pixel of a strip."""
_IMAGE = 12
_IMAGES = 3 * _IMAGE
"""Bytes a pixel of the images around it, in float32."""
_TORCH = 2
"""torch makes each layer a result of its own, and copies of it for padding."""
_FIXED = 60 * 2**20
"""Bytes of a library and its compiled code."""
_FIXED_STRIPS = 140 * 2**20
"""The same where each layer is a model of its own."""


def network_memory(
    info: StyleInfo,
    *,
    backend: Backend,
    precision: Precision,
    size: tuple[int, int],
    tile: int | None = None,
) -> int:
    """Bytes at most of a processor that paints an image of that height and width.

    With a ``tile`` as ``strips.strips_of`` has it; torch has none.
    """
    height, width = size
    pixels = height * width
    if backend != "openvino":
        return _FIXED + _TORCH * _whole(info, 4) * pixels
    value = 2 if precision == "bfloat16" else 4
    first, *others = strips_of(height, width, tile)
    if not others:
        return _FIXED + _whole(info, value) * pixels
    kept = round(_KEPT[info.architecture] * info.width * value)
    strip = UNIT * len(first) * width * _STRIP * info.width * value
    return _FIXED_STRIPS + max(_IMAGES, _IMAGE + kept) * pixels + strip


def _whole(info: StyleInfo, value: int) -> int:
    """Bytes a pixel, of values of that size."""
    return _IMAGES + round(_CHANNELS[info.architecture] * info.width * value)
