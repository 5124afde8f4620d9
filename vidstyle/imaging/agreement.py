"""Whether two pictures that lie on one grid show the same thing."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.smooth import smooth

_NOISE_SIGMA = 1.5
# Pixels. The signed difference is averaged first: sampling noise and texture that is off by a part
# of a pixel average out, other content does not.


def photometric_agreement(
    picture: HostArray, warped: HostArray, *, tolerance: float = 0.1
) -> HostArray:
    """Near 1 where the pictures agree, near 0 where they differ by far more than ``tolerance``.

    ``exp(-d² / (2 tolerance²))`` with d the difference of the locally averaged pictures, its
    squares weighted over the channels like luma. Both are (H, W, 3) in [0, 1]; the result is
    (H, W) in [0, 1]. Raises ValueError where ``tolerance`` is not positive.
    """
    if tolerance <= 0:
        raise ValueError(f"a tolerance is positive, got {tolerance}")
    difference = smooth(picture - warped, _NOISE_SIGMA)
    np.multiply(difference, difference, out=difference)
    distance = cv2.cvtColor(difference, cv2.COLOR_RGB2GRAY)
    np.multiply(distance, -1 / (2 * tolerance**2), out=distance)
    return np.asarray(cv2.exp(distance, dst=distance), np.float32)
