"""Keep what is carried over from earlier frames within what the new image shows nearby."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

_WINDOW = 15
# Pixels across: wide enough that strokes may shift by some, narrow enough that a flat area has
# none of the strokes beside it.
_FLOOR = 0.01
# Added to the standard deviation, so that the smooth parts of a painting may still be steadied.


def clip_to_neighborhood(history: HostArray, image: HostArray, *, deviations: float) -> HostArray:
    """``history`` within ``deviations`` local standard deviations of the local mean of ``image``.

    Both are (H, W, 3) in [0, 1] on one grid. Strokes that were carried to where the new image is
    flat vanish, whatever flow and source say. Variance clipping, as temporal anti-aliasing has it
    (Salvi: An Excursion in Temporal Supersampling, 2016).
    """
    mean = cv2.blur(image, (_WINDOW, _WINDOW))
    square = cv2.blur(cv2.multiply(image, image), (_WINDOW, _WINDOW))
    reach = cv2.subtract(square, cv2.multiply(mean, mean))
    np.maximum(reach, 0, out=reach)
    cv2.sqrt(reach, dst=reach)
    reach = cv2.addWeighted(reach, deviations, reach, 0, _FLOOR)
    upper = cv2.add(mean, reach)
    np.minimum(history, upper, out=upper)
    return np.asarray(np.maximum(upper, cv2.subtract(mean, reach, dst=mean), out=upper), np.float32)
