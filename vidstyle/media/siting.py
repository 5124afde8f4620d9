"""Where the chroma of decoded frames lies: FFmpeg knows, and shows it only to its own scaler."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
from av import VideoFrame
from av.filter import Graph
from av.video.reformatter import Interpolation

from vidstyle.core.planes import Siting
from vidstyle.media.planes import rows_of

# Luma samples on a side of the piece of a frame that is looked at.
_SIDE: Final = 32
# Code values from one chroma sample to the next.
_SLOPE: Final = 8


def find_siting(frame: VideoFrame) -> Siting | None:
    """Find where the chroma samples of a frame lie.

    A piece of the frame, which keeps what the frame says of itself, gets a ramp of chroma, and
    FFmpeg's scaler makes as much chroma as luma of it: the ramp's place shows that of the chroma.

    Args:
        frame: 4:2:0 or 4:2:2, of 8 bits; it is not changed.

    Returns:
        The place across, where down it is between two lines; None for any other place, and for
        frames that are too small for that.
    """
    if min(frame.width, frame.height) < _SIDE:
        return None
    piece = _piece(frame)
    height, width = piece.planes[1].height, piece.planes[1].width
    rows_of(piece.planes[1])[:, :width] = _SLOPE * np.arange(width, dtype=np.uint8)
    rows_of(piece.planes[2])[:, :width] = _SLOPE * np.arange(height, dtype=np.uint8)[:, None]
    kinds = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
    whole = piece.reformat(format="yuv444p", interpolation=kinds)
    middle = _SIDE // 2
    across = rows_of(whole.planes[1])[middle, middle] / _SLOPE
    down = rows_of(whole.planes[2])[middle, middle] / _SLOPE
    subsampled_down = height < _SIDE
    # In chroma samples: the luma sample lies on one, or a quarter before it.
    if subsampled_down and abs(down - (middle / 2 - 0.25)) > 0.1:
        return None
    if abs(across - middle / 2) < 0.1:
        return "left"
    return "center" if abs(across - (middle / 2 - 0.25)) < 0.1 else None


def _piece(frame: VideoFrame) -> VideoFrame:
    """The upper left corner, in memory of its own."""
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
    )
    crop = graph.add("crop", f"{_SIDE}:{_SIDE}:0:0")
    graph.link_nodes(source, crop, graph.add("buffersink")).configure()
    graph.vpush(frame)
    piece = graph.vpull()
    assert isinstance(piece, VideoFrame)
    piece.make_writable()
    return piece
