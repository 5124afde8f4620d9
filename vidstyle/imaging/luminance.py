"""Luminance transfer: the light and dark of one image with the colors of another."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

# Of a difference, so that nothing is divided by 0.
_LEAST = 1e-6
# Most that matching stretches or shrinks contrast: a flat image has none to stretch.
_GAIN = 4.0


def with_luma(source: HostArray, luma: HostArray) -> HostArray:
    """Give an image the luma of another: luminance transfer in Y'IQ, with the luma of BT.601.

    I and Q are differences of colors: to keep them and change Y' is to add the same to red, green
    and blue. Where that leaves [0, 1] the color is paled, which keeps its luma and hue; clipping
    would change both.

    Args:
        source: (H, W, 3) RGB in [0, 1]: the colors.
        luma: (H, W): light and dark; values outside of [0, 1] are clamped.

    Returns:
        (H, W, 3) RGB in [0, 1].

    References:
        Gatys et al. 2016, Preserving Color in Neural Artistic Style Transfer.
    """
    luma = np.clip(luma, 0, 1)
    own = np.asarray(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), np.float32)
    red, green, blue = cv2.split(source)
    above = np.maximum(np.maximum(red, green), blue) - own
    below = own - np.minimum(np.minimum(red, green), blue)
    fits = np.minimum((1 - luma) / np.maximum(above, _LEAST), luma / np.maximum(below, _LEAST))
    part = np.asarray(np.minimum(fits, 1), np.float32)
    # luma + part * (source - own), channel by channel.
    result = cv2.multiply(source, cv2.merge([part, part, part]))
    offset = luma - part * own
    cv2.add(result, cv2.merge([offset, offset, offset]), dst=result)
    return np.asarray(np.clip(result, 0, 1, out=result), np.float32)


def match_luma(luma: HostArray, other: HostArray) -> HostArray:
    """Give ``luma`` the mean and the standard deviation of ``other``.

    Args:
        luma: (H, W).
        other: (H, W) of any size.

    Returns:
        (H, W); it may leave [0, 1]. Contrast changes by a factor of 4 at most.
    """
    mean, deviation = _moments(luma)
    wanted_mean, wanted_deviation = _moments(other)
    gain = min(wanted_deviation / deviation, _GAIN) if deviation else 1.0
    return np.asarray((luma - mean) * max(gain, 1 / _GAIN) + wanted_mean, np.float32)


def _moments(luma: HostArray) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(luma)
    return mean.item(), deviation.item()
