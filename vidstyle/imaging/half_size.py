"""Pictures at half their size: where everything but fine detail is just as well worked on."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray


def halved(picture: HostArray) -> HostArray:
    """``picture``, (H, W) or (H, W, C), at half its size, rounded up: 2x2 pixels averaged."""
    height, width = picture.shape[:2]
    size = ((width + 1) // 2, (height + 1) // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.float32)


def doubled(picture: HostArray, height: int, width: int) -> HostArray:
    """What ``halved`` gave, on the grid of (height, width) again, without the fine detail."""
    larger = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32)


def halved_targets(columns: HostArray, rows: HostArray) -> tuple[HostArray, HostArray]:
    """Positions in a picture as positions in the halved one, on the halved grid.

    ``columns`` and ``rows`` are (H, W), as ``vidstyle.imaging.warp.targets`` gives them.
    """
    height, width = columns.shape
    return _rescaled(columns, width), _rescaled(rows, height)


def _rescaled(positions: HostArray, side: int) -> HostArray:
    """Pixel centres lie at whole numbers, so that a size changes about -0.5."""
    scale = ((side + 1) // 2) / side
    small = halved(positions)
    return np.asarray(cv2.addWeighted(small, scale, small, 0, (scale - 1) / 2), np.float32)
