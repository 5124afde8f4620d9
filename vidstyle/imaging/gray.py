"""The 8-bit gray image that classic optical flow and shot detection work on."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray

Gray8: TypeAlias = npt.NDArray[np.uint8]
"""(H, W), 0 to 255."""


def gray8(image: HostArray) -> Gray8:
    """Luma of ``image``, (H, W, 3) RGB in [0, 1], with the weights of BT.601, rounded.

    Values outside of [0, 1] are clamped.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.convertScaleAbs(np.maximum(luma, 0), alpha=255), np.uint8)
