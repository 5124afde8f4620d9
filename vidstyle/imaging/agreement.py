"""Measure whether two images that lie on one grid show the same thing."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.derived import smooth

NOISE_SIGMA = 1.5
"""Pixels. The signed difference is averaged first: sampling noise and texture that is off by a part
of a pixel average out, other content does not."""
PIXEL_SIGMA = 0.6
"""Pixels. Just enough to bridge the one that a sharp edge passes through zero difference in."""


def photometric_distance(image: HostArray, warped: HostArray) -> HostArray:
    """Square the difference of two locally averaged images, channels weighted like luma.

    Args:
        image: (H, W, 3) in [0, 1], or (H, W) of luma.
        warped: Of the same shape.

    Returns:
        (H, W).
    """
    return _squared(smooth(image - warped, NOISE_SIGMA))


def pixel_distance(image: HostArray, warped: HostArray) -> HostArray:
    """Square the difference pixel for pixel: thin things count, and so do noise and texture.

    Args:
        image: (H, W, 3) in [0, 1].
        warped: Of the same shape.

    Returns:
        (H, W).
    """
    return soften_distance(_squared(image - warped))


def soften_distance(distance: HostArray) -> HostArray:
    """Give ``pixel_distance`` of squared differences.

    Args:
        distance: (H, W).

    Returns:
        (H, W).
    """
    return smooth(distance, PIXEL_SIGMA)


def agreement(distance: HostArray, tolerance: float) -> HostArray:
    """Turn a squared distance into a weight: ``exp(-d² / (2 tolerance²))``.

    Args:
        distance: (H, W), of ``photometric_distance`` or ``pixel_distance``.
        tolerance: In the unit of the images, above 0.

    Returns:
        (H, W): near 1 where the images agree, near 0 where they differ by far more than the
        tolerance.

    Raises:
        ValueError: ``tolerance`` is not positive.
    """
    exponent = np.multiply(distance, np.float32(exponent_of(tolerance)))
    return np.asarray(cv2.exp(exponent, dst=exponent), np.float32).reshape(distance.shape)


def agreement_of_difference(difference: HostArray, tolerance: float) -> HostArray:
    """Give ``agreement`` of a ``photometric_distance``, where the images were subtracted already.

    Args:
        difference: (H, W, 3), or (H, W) of luma.
        tolerance: As ``agreement`` has it.

    Returns:
        (H, W) in [0, 1].
    """
    return agreement(_squared(smooth(difference, NOISE_SIGMA)), tolerance)


def exponent_of(tolerance: float) -> float:
    """Give the factor of a squared distance in ``agreement``.

    Args:
        tolerance: In the unit of the images.

    Returns:
        A number below 0.

    Raises:
        ValueError: ``tolerance`` is not positive.
    """
    if tolerance <= 0:
        raise ValueError(f"a tolerance is positive, got {tolerance}")
    return -1 / (2 * tolerance**2)


def _squared(difference: HostArray) -> HostArray:
    square = np.multiply(difference, difference, out=difference)
    if square.ndim == 2:
        return square
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), np.float32)
