"""Structural similarity: how far a blend moved the image from the stylizer's."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

_STABILISERS = (0.01**2, 0.03**2)
_SIGMA, _WINDOW = 1.5, 11


def ssim(first: HostArray, second: HostArray) -> float:
    """SSIM of the luma of two images (Wang et al. 2004), -1 to 1; 1 where they are equal.

    Gaussian window of 11 pixels with sigma 1.5. Images are (H, W, 3) RGB in [0, 1]; pixels whose
    window leaves the image are left out where any other remain.
    """
    x, y = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) for image in (first, second))
    mean_x, mean_y = _local(x), _local(y)
    variance_x = _local(x * x) - mean_x**2
    variance_y = _local(y * y) - mean_y**2
    covariance = _local(x * y) - mean_x * mean_y
    c1, c2 = _STABILISERS
    likeness = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    )
    margin = _WINDOW // 2
    inner = likeness[margin:-margin, margin:-margin]
    return float((inner if inner.size else likeness).mean())


def _local(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (_WINDOW, _WINDOW), _SIGMA))
