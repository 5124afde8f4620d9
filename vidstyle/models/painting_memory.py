"""How much memory a network takes while it paints, measured at 1920x1080."""

from __future__ import annotations

from collections.abc import Mapping

from vidstyle.core.place import Precision
from vidstyle.models.backends import Backend
from vidstyle.models.style_file import Architecture, StyleInfo

_CHANNELS: Mapping[Architecture, float] = {
    "fast": 2.2,
    "johnson": 4.0,
    "johnson-fractional": 2.0,
}
"""That are held for each pixel of the picture at the worst moment, in widths of the network."""
_PICTURES = 36
"""Bytes a pixel of the pictures around it, in float32."""
_TORCH = 2
"""torch makes each layer a result of its own, and copies of it for padding."""
_FIXED = 60 * 2**20
"""Bytes of a library and its compiled code."""


def painting_memory(info: StyleInfo, *, backend: Backend, precision: Precision, pixels: int) -> int:
    """Bytes at most of a processor that paints a picture of so many pixels."""
    if backend != "openvino":
        return _FIXED + _TORCH * _network(info, 4) * pixels
    return _FIXED + _network(info, 2 if precision == "bfloat16" else 4) * pixels


def _network(info: StyleInfo, size: int) -> int:
    """Bytes a pixel, of values of that size."""
    return _PICTURES + round(_CHANNELS[info.architecture] * info.width * size)
