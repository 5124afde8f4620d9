"""Give an image that was averaged the crispness of one that was not."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.bands import bands
from vidstyle.imaging.half_size import halved
from vidstyle.imaging.planes import three_times
from vidstyle.imaging.smooth import smooth

_FINE_SIGMA, _FINE_SIDE = 0.6, 3
# Pixels: what this Gaussian takes away is where averaging loses first.
_AREA_SIGMA = 1.5
# Pixels of the halved image over which the strength of detail is compared.
_FLOOR = 1e-6
# Added to mean squares: a thousandth of the range, so that flat areas are not amplified noise.


def detail_energy(image: HostArray) -> HostArray:
    """Local mean square of the Laplacian of luma of ``image`` (H, W, 3), at half its size."""
    height, width = image.shape[:2]
    squares = np.empty(((height + 1) // 2, (width + 1) // 2), np.float32)
    for band in bands(height, width):
        band.of_half(squares)[:] = halved(band.filtered(image, 2, _squared_edges))
    energy = smooth(squares, _AREA_SIGMA)
    return np.add(energy, np.float32(_FLOOR), out=energy)


def _squared_edges(image: HostArray) -> HostArray:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_32F, dst=luma, borderType=cv2.BORDER_REPLICATE)
    return np.square(np.asarray(edges, np.float32), out=edges)


def sharpened(
    image: HostArray,
    energy: HostArray,
    weight: HostArray,
    *,
    limit: float,
    part: HostArray | float = 1.0,
) -> HostArray:
    """``image`` (H, W, 3) in [0, 1] with its fine detail as strong as ``energy`` says.

    ``energy`` is what ``detail_energy`` gave for the image to be compared with. Detail grows by
    the ratio of standard deviations, at most ``limit`` times and nowhere falls, by ``part`` of
    that, (h, w) at half size, and where ``weight`` (H, W) says that it may. Raises ValueError
    where ``limit`` is below 1.
    """
    if limit < 1:
        raise ValueError(f"a gain's limit is at least 1, got {limit}")
    gain = cv2.sqrt(cv2.divide(energy, detail_energy(image)))
    gain = (np.clip(gain, 1, limit, out=gain) - np.float32(1)) * part
    result = np.empty(image.shape, np.float32)
    for band in bands(*weight.shape):
        rows = band.of(result)
        more = band.doubled(gain)
        more *= band.of(weight)
        np.multiply(band.filtered(image, 2, _fine), three_times(more), out=rows)
        rows += band.of(image)
        np.clip(rows, 0, 1, out=rows)
    return result


def _fine(image: HostArray) -> HostArray:
    fine = cv2.filter2D(image, cv2.CV_32F, _FINE_KERNEL, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(fine, np.float32)


def _fine_kernel() -> HostArray:
    """An image without its Gaussian average, in one pass: 1 in the middle less the Gaussian."""
    average = cv2.getGaussianKernel(_FINE_SIDE, _FINE_SIGMA, cv2.CV_32F)
    kernel = -(average @ average.T)
    kernel[_FINE_SIDE // 2, _FINE_SIDE // 2] += 1
    return np.asarray(kernel, np.float32)


_FINE_KERNEL = _fine_kernel()
