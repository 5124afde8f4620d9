"""Images from planes, and planes from images."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray


def three_times(plane: HostArray) -> HostArray:
    """``plane``, (H, W), as each channel of an image (H, W, 3).

    numpy works on images of one shape several times as fast as it broadcasts.
    """
    return np.asarray(cv2.merge([plane, plane, plane]), np.float32)


def channels(image: HostArray) -> tuple[HostArray, ...]:
    """The planes (H, W) of ``image`` (H, W, C), not shared with it."""
    return tuple(np.asarray(plane, np.float32) for plane in cv2.split(image))
