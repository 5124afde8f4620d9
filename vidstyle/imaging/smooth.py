"""The local average that blending works with: a Gaussian, cut off where little is left of it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

_REACH = 2.5
# Standard deviations on each side; 99 % of the weight. OpenCV's own default for floats is 4.


def smooth(image: HostArray, sigma: float) -> HostArray:
    """Gaussian average of ``image``, (H, W) or (H, W, C), its edge repeated.

    ``sigma`` is in pixels. The kernel ends at 2.5 sigma and sums to 1.
    """
    side = 2 * reach_of(sigma) + 1
    result = cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(result, np.float32).reshape(image.shape)


def reach_of(sigma: float) -> int:
    """How many pixels on each side ``smooth`` looks at."""
    return math.ceil(_REACH * sigma)
