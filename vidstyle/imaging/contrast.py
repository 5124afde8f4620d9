"""Restore the local contrast that averaging takes from fine detail and from strokes."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.bands import bands, three_times
from vidstyle.imaging.derived import doubled, halved, smooth

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
