"""Images at half their size: where everything but fine detail is just as well worked on."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import places


def halved(image: HostArray) -> HostArray:
    """``image``, (H, W) or (H, W, C), at half its size, rounded up: 2x2 pixels averaged."""
    height, width = image.shape[:2]
    size = ((width + 1) // 2, (height + 1) // 2)
    # The same mean where sides are even. It takes OpenCV less time for planes, but more for color.
    by_area = image.ndim == 2 and height % 2 == 0 and width % 2 == 0
    kind = cv2.INTER_AREA if by_area else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=kind), np.float32)


def doubled(image: HostArray, height: int, width: int) -> HostArray:
    """What ``halved`` gave, on the grid of (height, width) again, without the fine detail."""
    larger = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32)


def halved_places(
    across: HostArray, down: HostArray, whole: tuple[int, ...]
) -> tuple[HostArray, HostArray]:
    """Columns and rows, (h, w) in pixels of the halved image, that a halved flow leads to.

    ``across`` and ``down`` are the flow's planes as ``halved`` gives them, still in pixels of the
    image, whose height and width ``whole`` begins with.
    """
    height, width = across.shape
    return places(across * np.float32(width / whole[1]), down * np.float32(height / whole[0]))
