"""What averaging over time does to a painting at the size of strokes and of areas."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.half_size import doubled, halved
from vidstyle.imaging.planes import three_times
from vidstyle.imaging.smooth import smooth

_STROKE_SIGMA = 2.0
# Pixels of a quarter of the frame's size: what this Gaussian takes away counts as strokes.
_AREA_SIGMA = 3.0
# The same: over which the contrast of strokes is compared.
_FLOOR = 1e-3
# Added to mean squares: what has less contrast than 3 % of the range is noise and no stroke.
_WIDE_SIGMA = 1.0
# Pixels of an eighth of the frame's size.


def faded_strokes(image: HostArray, reference: HostArray, *, limit: float) -> HostArray:
    """What to add to ``image`` so that its strokes are as strong as those of ``reference``.

    Both, and the result, are (h, w, 3), halves of frames in [0, 1]; strokes are what is some 4 to
    16 pixels of the frame wide. Where they have less contrast than in the reference, they grow by
    the ratio of local standard deviations, at most ``limit`` times. Raises ValueError where
    ``limit`` is below 1.
    """
    if limit < 1:
        raise ValueError(f"a gain's limit is at least 1, got {limit}")
    strokes = _strokes(image)
    gain = cv2.sqrt(cv2.divide(_energy(_strokes(reference)), _energy(strokes)))
    gain = np.clip(gain, 1, limit, out=gain) - np.float32(1)
    strokes *= three_times(gain)
    return doubled(strokes, *image.shape[:2])


def overshoot(limit: HostArray, change: HostArray, weight: HostArray) -> HostArray | None:
    """What ``change`` exceeds ``limit`` by, averaged over some 16 pixels of the frame; or None.

    ``change`` (h, w, 3) is a weighted change of half a frame, ``weight`` (h, w), above 0, its
    weight; the mean is over the weight. ``limit`` is (h, w).
    """
    wide = smooth(halved(halved(change)), _WIDE_SIGMA)
    wide /= smooth(halved(halved(weight)), _WIDE_SIGMA)[..., np.newaxis]
    most = halved(halved(limit))[..., np.newaxis]
    beyond = wide - np.clip(wide, -most, most)
    return doubled(beyond, *weight.shape) if beyond.any() else None


def _strokes(half: HostArray) -> HostArray:
    quarter = halved(half)
    return np.subtract(quarter, smooth(quarter, _STROKE_SIGMA), out=quarter)


def _energy(strokes: HostArray) -> HostArray:
    """Local mean square of all channels, (h, w)."""
    square = cv2.transform(np.square(strokes), np.full((1, 3), 1 / 3, np.float32))
    energy = smooth(np.asarray(square, np.float32).reshape(strokes.shape[:2]), _AREA_SIGMA)
    return np.add(energy, np.float32(_FLOOR), out=energy)
