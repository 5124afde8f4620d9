"""Give a picture that was averaged over time the crispness of one that was not."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

_FINE_SIGMA = 1.0
# Pixels: detail is what a Gaussian of this width takes away.
_AREA_SIGMA = 3.0
# Pixels over which the strength of detail is compared.
_FLOOR = 1e-6
# Added to variances: a thousandth of the range, so that flat areas divide nothing by nothing.


def detail_gain(picture: HostArray, reference: HostArray, *, limit: float) -> HostArray:
    """How many times weaker the detail of ``picture`` is than that of ``reference``, locally.

    The ratio of the standard deviations of their fine bands, between 1 and ``limit``. Both are
    (H, W, 3) in [0, 1]; the result is (H, W). Raises ValueError where ``limit`` is below 1.
    """
    if limit < 1:
        raise ValueError(f"a gain's limit is at least 1, got {limit}")
    ratio = np.sqrt(_energy(reference) / _energy(picture))
    return np.clip(ratio, 1, limit, out=ratio)


def fine_band(picture: HostArray) -> HostArray:
    """What is left of ``picture``, (H, W, C), when its local average is taken away."""
    smooth = cv2.GaussianBlur(picture, (0, 0), _FINE_SIGMA, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.subtract(picture, smooth, dst=smooth), np.float32)


def _energy(picture: HostArray) -> HostArray:
    """Local variance of the fine band, (H, W), its channels weighted like luma."""
    band = fine_band(picture)
    square = cv2.cvtColor(np.multiply(band, band, out=band), cv2.COLOR_RGB2GRAY)
    energy = cv2.GaussianBlur(square, (0, 0), _AREA_SIGMA, borderType=cv2.BORDER_REPLICATE)
    return np.add(energy, np.float32(_FLOOR))
