"""Luminance transfer: the light and dark of one image with the colors of another."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

_LEAST = 1e-6
# Of a difference, so that nothing is divided by nothing.
_GAIN = 4.0
# Most that matching stretches or shrinks contrast: a flat image has none to stretch.


def with_luma(source: HostArray, luma: HostArray) -> HostArray:
    """The colors of ``source``, (H, W, 3) in [0, 1], with the given luma, (H, W).

    The luminance-only transfer of Gatys et al. (Preserving Color in Neural Artistic Style
    Transfer, 2016), in Y'IQ as there, the luma that of BT.601. I and Q are differences of colors:
    to keep them and change Y' is to add the same to red, green and blue. Where that leaves [0, 1]
    the color is paled, which keeps its luma and hue; clipping would change both.
    """
    luma = np.clip(luma, 0, 1)
    own = np.asarray(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), np.float32)
    red, green, blue = cv2.split(source)
    above = np.maximum(np.maximum(red, green), blue) - own
    below = own - np.minimum(np.minimum(red, green), blue)
    fits = np.minimum((1 - luma) / np.maximum(above, _LEAST), luma / np.maximum(below, _LEAST))
    share = np.asarray(np.minimum(fits, 1), np.float32)
    # luma + share * (source - own), channel by channel.
    result = cv2.multiply(source, cv2.merge([share, share, share]))
    offset = luma - share * own
    cv2.add(result, cv2.merge([offset, offset, offset]), dst=result)
    return np.asarray(np.clip(result, 0, 1, out=result), np.float32)


def match_luma(luma: HostArray, other: HostArray) -> HostArray:
    """``luma`` with the mean and the standard deviation of ``other``; both are (H, W).

    Contrast changes by a factor of 4 at most. The result may leave [0, 1].
    """
    mean, deviation = _moments(luma)
    wanted_mean, wanted_deviation = _moments(other)
    gain = min(wanted_deviation / deviation, _GAIN) if deviation else 1.0
    return np.asarray((luma - mean) * max(gain, 1 / _GAIN) + wanted_mean, np.float32)


def _moments(luma: HostArray) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(luma)
    return mean.item(), deviation.item()
