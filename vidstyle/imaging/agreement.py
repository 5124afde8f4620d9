"""Whether two images that lie on one grid show the same thing."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.derived import smooth

_NOISE_SIGMA = 1.5
# Pixels. The signed difference is averaged first: sampling noise and texture that is off by a part
# of a pixel average out, other content does not.

_PIXEL_SIGMA = 0.6
# Pixels. Just enough to bridge the one that a sharp edge passes through zero difference in.


def photometric_distance(image: HostArray, warped: HostArray) -> HostArray:
    """Squared difference (H, W) of the locally averaged images, both (H, W, 3) in [0, 1].

    The channels are weighted like luma.
    """
    return _squared(smooth(image - warped, _NOISE_SIGMA))


def pixel_distance(image: HostArray, warped: HostArray) -> HostArray:
    """The same, pixel for pixel: thin things count, and so do noise and texture that is off."""
    return smooth(_squared(image - warped), _PIXEL_SIGMA)


def _squared(difference: HostArray) -> HostArray:
    np.multiply(difference, difference, out=difference)
    return np.asarray(cv2.cvtColor(difference, cv2.COLOR_RGB2GRAY), np.float32)


def agreement(distance: HostArray, tolerance: float) -> HostArray:
    """Near 1 where images agree, near 0 where they differ by far more than ``tolerance``.

    ``exp(-d² / (2 tolerance²))`` of what one of the distances gave. Raises ValueError where
    ``tolerance`` is not positive.
    """
    if tolerance <= 0:
        raise ValueError(f"a tolerance is positive, got {tolerance}")
    exponent = np.multiply(distance, np.float32(-1 / (2 * tolerance**2)))
    return np.asarray(cv2.exp(exponent, dst=exponent), np.float32).reshape(distance.shape)
