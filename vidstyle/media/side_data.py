"""What a decoded frame carries beside its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from av import VideoFrame
from av.sidedata.sidedata import SideDataContainer


def side_data_of(frame: VideoFrame) -> Mapping[str, Any]:
    """The side data of a frame.

    Args:
        frame: A decoded frame.

    Returns:
        Its side data by FFmpeg's names, such as ``DISPLAYMATRIX``.
    """
    # The frame's own property is kept by the frame, which it refers to: such a frame is freed not
    # when it is done with, but when Python next looks for cycles, hundreds of frames later.
    make: Any = SideDataContainer  # its stub lacks the argument, and knows motion vectors alone
    found: Mapping[str, Any] = make(frame)
    return found
