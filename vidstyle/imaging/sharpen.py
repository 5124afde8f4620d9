"""Give a picture that was averaged the crispness of one that was not."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.half_size import doubled, halved
from vidstyle.imaging.smooth import smooth

_FINE_SIGMA, _FINE_WINDOW = 0.6, (3, 3)
# Pixels: what this Gaussian takes away is where averaging loses first.
_AREA_SIGMA = 1.5
# Pixels of the halved picture over which the strength of detail is compared.
_FLOOR = 1e-6
# Added to mean squares: a thousandth of the range, so that flat areas are not amplified noise.


def detail_energy(picture: HostArray) -> HostArray:
    """Local mean square of the Laplacian of luma of ``picture`` (H, W, 3), at half its size."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_32F, dst=luma, borderType=cv2.BORDER_REPLICATE)
    cv2.multiply(edges, edges, dst=edges)
    energy = smooth(halved(np.asarray(edges, np.float32)), _AREA_SIGMA)
    return np.add(energy, np.float32(_FLOOR), out=energy)


def sharpened(
    picture: HostArray, energy: HostArray, weight: HostArray, *, limit: float
) -> HostArray:
    """``picture`` (H, W, 3) in [0, 1] with its fine detail as strong as ``energy`` says.

    ``energy`` is what ``detail_energy`` gave for the picture to be compared with. Detail grows by
    the ratio of standard deviations, at most ``limit`` times and nowhere falls; ``weight`` (H, W)
    says where it may. Raises ValueError where ``limit`` is below 1.
    """
    if limit < 1:
        raise ValueError(f"a gain's limit is at least 1, got {limit}")
    gain = cv2.sqrt(cv2.divide(energy, detail_energy(picture)))
    gain = np.clip(gain, 1, limit, out=gain) - np.float32(1)
    soft = cv2.GaussianBlur(picture, _FINE_WINDOW, _FINE_SIGMA, borderType=cv2.BORDER_REPLICATE)
    band = cv2.subtract(picture, soft, dst=soft)
    full = doubled(gain, *picture.shape[:2])
    cv2.multiply(full, weight, dst=full)
    cv2.multiply(band, cv2.merge([full, full, full]), dst=band)
    cv2.add(band, picture, dst=band)
    return np.asarray(np.clip(band, 0, 1, out=band), np.float32)
