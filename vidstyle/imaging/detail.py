"""Give an image that was averaged over time the crispness of one that was not."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.derived import smooth

_FINE_SIGMA = 1.0
# Pixels: the fine band is what a Gaussian of this width takes away.
_AREA_SIGMA = 3.0
# Pixels over which the strength of detail is compared.
_FLOOR = 1e-6
# Added to mean squares: a thousandth of the range, so that flat areas are not amplified noise.


def detail_gain(image: HostArray, reference: HostArray, *, limit: float) -> HostArray:
    """How many times weaker the detail of ``image`` is than that of ``reference``, locally.

    The ratio of the local standard deviations of their Laplacians, between 1 and ``limit``. Both
    are (H, W, 3) in [0, 1]; the result is (H, W). Raises ValueError where ``limit`` is below 1.
    """
    if limit < 1:
        raise ValueError(f"a gain's limit is at least 1, got {limit}")
    ratio: HostArray = np.sqrt(_energy(reference) / _energy(image))
    return np.clip(ratio, 1, limit, out=ratio)


def fine_band(image: HostArray) -> HostArray:
    """What is left of ``image``, (H, W, C), when its local average is taken away."""
    average = smooth(image, _FINE_SIGMA)
    return np.subtract(image, average, out=average)


def _energy(image: HostArray) -> HostArray:
    """Local mean square of the Laplacian of luma, (H, W)."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_32F, dst=luma, borderType=cv2.BORDER_REPLICATE)
    np.multiply(edges, edges, out=edges)
    return np.add(smooth(np.asarray(edges, np.float32), _AREA_SIGMA), np.float32(_FLOOR))
