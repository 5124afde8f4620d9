"""What a layer is: one image-sized array of a frame, under a name that stages agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

HostArray: TypeAlias = npt.NDArray[np.float32]
"""A layer on the host: (H, W) or (H, W, C) float32 in OpenCV's layout."""

Layer: TypeAlias = "HostArray | torch.Tensor"
"""A layer where its reader lives: numpy on the host, (C, H, W) torch on a device."""

Home = Literal["host", "device"]

CHANNELS: dict[str, int] = {
    "source": 3,
    "image": 3,
    "alpha": 1,
    "flow": 2,
    "visible": 1,
    "flow_from_previous": 2,
    "visible_from_previous": 1,
}
"""Channels of the standard layers. A plugin's own layers are not checked for their shape.

Images are RGB in [0, 1]. ``flow`` is (dx, dy) in pixels on this frame's grid:
``previous[y + dy, x + dx]`` shows what ``source[y, x]`` shows. ``visible`` is 1 where that
content can be seen in the previous frame, 0 where it is occluded or outside. The layers
that end in ``_from_previous`` are the other direction, on the previous frame's grid.
"""

CUT = "cut"
"""A scalar that a stage of kind ``shots`` writes: 1 on the first frame of a shot."""


_FULL = "full_"


def full_layer(name: str) -> str:
    """Name the layer that keeps another one at full size while frames are reduced.

    Args:
        name: Of the layer.

    Returns:
        Such as ``full_source``.
    """
    return f"{_FULL}{name}"


def reduced_layer(name: str) -> str | None:
    """Name the layer that one of full size stands for.

    Args:
        name: Of any layer.

    Returns:
        Such as ``source``; None for a layer of the frame's own size.
    """
    return name.removeprefix(_FULL) if name.startswith(_FULL) else None


def host_shape(name: str, height: int, width: int) -> tuple[int, ...] | None:
    """Return the shape that a standard layer has on the host.

    Args:
        name: Of the layer.
        height: Of the frame, in pixels.
        width: Of the frame, in pixels.

    Returns:
        Its shape, or None for a plugin's own layer.
    """
    if name == CUT:
        return ()
    channels = CHANNELS.get(name)
    if channels is None:
        return None
    return (height, width) if channels == 1 else (height, width, channels)
