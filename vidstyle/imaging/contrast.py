"""Restore the local contrast that averaging over time takes from fine detail and from strokes."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.bands import bands, repeat_plane
from vidstyle.imaging.derived import double, half_gaussian, halve, smooth
from vidstyle.kernels.mixing import Sharpening

# Pixels: what this Gaussian takes away is where averaging loses first.
_FINE_SIGMA, _FINE_SIDE = 0.6, 3
# Pixels of the halved image over which the contrast of detail is compared.
_DETAIL_AREA_SIGMA = 1.5
# Added to mean squares: a thousandth of the range, so that flat areas are not amplified noise.
_DETAIL_FLOOR = 1e-6
# Pixels of a quarter of the frame's size: what this Gaussian takes away counts as strokes.
_STROKE_SIGMA = 2.0
# The same: over which the contrast of strokes is compared.
_STROKE_AREA_SIGMA = 3.0
# Added to mean squares: what has less contrast than 3 % of the range is noise and no stroke.
_STROKE_FLOOR = 1e-3
# Pixels of an eighth of the frame's size.
_WIDE_SIGMA = 1.0


def detail_edges(image: HostArray) -> HostArray:
    """Find fine detail: the mean square of the Laplacian of luma over 2x2 pixels.

    Args:
        image: (H, W, 3) in [0, 1].

    Returns:
        (h, w) at half size.
    """
    height, width = image.shape[:2]
    squares = np.empty(((height + 1) // 2, (width + 1) // 2), np.float32)
    for band in bands(height, width):
        band.of_half(squares)[:] = halve(band.filter_rows(image, 2, _squared_edges))
    return squares


def sharpening_to(edges: HostArray, *, limit: float, part: HostArray) -> Sharpening:
    """Give what amplifies the fine detail of an image to a given local contrast.

    Detail grows by the ratio of standard deviations, and nowhere shrinks.

    Args:
        edges: ``detail_edges`` of the image to be compared with, (h, w).
        limit: Largest gain, at least 1.
        part: Of the gain, in [0, 1]; (h, w).

    Returns:
        For ``sharpen``, or for the kernel that does the same.

    Raises:
        ValueError: ``limit`` is below 1.
    """
    _check_limit(limit)
    return Sharpening(edges, part, limit, _DETAIL_FLOOR, _AREA_WEIGHTS, _FINE_WEIGHTS)


def sharpen(image: HostArray, sharpening: Sharpening, weight: HostArray) -> HostArray:
    """Amplify the fine detail of an image.

    Args:
        image: (H, W, 3) in [0, 1].
        sharpening: How.
        weight: (H, W) in [0, 1]: where detail may grow.

    Returns:
        (H, W, 3) in [0, 1].
    """
    target, energy = _energy(sharpening.edges), _energy(detail_edges(image))
    gain = cv2.sqrt(cv2.divide(target, energy))
    gain = (np.clip(gain, 1, sharpening.limit, out=gain) - np.float32(1)) * sharpening.part
    result = np.empty(image.shape, np.float32)
    for band in bands(*weight.shape):
        rows = band.of(result)
        more = band.double(gain)
        more *= band.of(weight)
        cv2.multiply(band.filter_rows(image, 2, _fine), repeat_plane(more), dst=rows)
        cv2.add(rows, band.of(image), dst=rows)
        np.clip(rows, 0, 1, out=rows)
    return result


def missing_strokes(image: HostArray, reference: HostArray, *, limit: float) -> HostArray:
    """Find what to add to ``image`` so that its strokes have the contrast of the reference's.

    Strokes are what is some 4 to 16 pixels of the frame wide. Where they have less contrast than
    in the reference, they grow by the ratio of local standard deviations.

    Args:
        image: (h, w, 3) in [0, 1], half of a frame.
        reference: Of the same shape.
        limit: Largest gain, at least 1.

    Returns:
        (h, w, 3), 0 where nothing is missing.

    Raises:
        ValueError: ``limit`` is below 1.
    """
    _check_limit(limit)
    strokes = _strokes(image)
    gain = cv2.sqrt(cv2.divide(_stroke_energy(_strokes(reference)), _stroke_energy(strokes)))
    gain = np.clip(gain, 1, limit, out=gain) - np.float32(1)
    strokes *= repeat_plane(gain)
    return double(strokes, *image.shape[:2])


def find_overshoot(limit: HostArray, change: HostArray, weight: HostArray) -> HostArray | None:
    """Find how far a change exceeds a limit on the average over some 16 pixels of the frame.

    Args:
        limit: (h, w), at least 0.
        change: (h, w, 3), a weighted change of half a frame.
        weight: (h, w), above 0: its weight, over which the average is taken.

    Returns:
        (h, w, 3); None where the change stays within the limit.
    """
    wide = smooth(halve(halve(change)), _WIDE_SIGMA)
    wide /= smooth(halve(halve(weight)), _WIDE_SIGMA)[..., np.newaxis]
    most = halve(halve(limit))[..., np.newaxis]
    beyond = wide - np.clip(wide, -most, most)
    return double(beyond, *weight.shape) if beyond.any() else None


def _check_limit(limit: float) -> None:
    if limit < 1:
        raise ValueError(f"a gain's limit is at least 1, got {limit}")


def _energy(edges: HostArray) -> HostArray:
    """Local contrast of fine detail, (h, w), above 0."""
    energy = smooth(edges, _DETAIL_AREA_SIGMA)
    return np.add(energy, np.float32(_DETAIL_FLOOR), out=energy)


def _squared_edges(image: HostArray) -> HostArray:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_32F, dst=luma, borderType=cv2.BORDER_REPLICATE)
    return np.square(np.asarray(edges, np.float32), out=edges)


def _fine(image: HostArray) -> HostArray:
    fine = cv2.filter2D(image, cv2.CV_32F, _FINE_KERNEL, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(fine, np.float32)


def _fine_kernel() -> HostArray:
    """An image less its Gaussian average, in one pass: 1 in the middle less the Gaussian."""
    average = cv2.getGaussianKernel(_FINE_SIDE, _FINE_SIGMA, cv2.CV_32F)
    kernel = -(average @ average.T)
    kernel[_FINE_SIDE // 2, _FINE_SIDE // 2] += 1
    return np.asarray(kernel, np.float32)


_FINE_KERNEL = _fine_kernel()
# Its middle, a side and a corner.
_FINE_WEIGHTS = np.ascontiguousarray(_FINE_KERNEL[[1, 0, 0], [1, 1, 0]])
_AREA_WEIGHTS = half_gaussian(_DETAIL_AREA_SIGMA)


def _strokes(half: HostArray) -> HostArray:
    quarter = halve(half)
    return np.subtract(quarter, smooth(quarter, _STROKE_SIGMA), out=quarter)


def _stroke_energy(strokes: HostArray) -> HostArray:
    """Local mean square of all channels, (h, w)."""
    square = cv2.transform(np.square(strokes), np.full((1, 3), 1 / 3, np.float32))
    energy = smooth(np.asarray(square, np.float32).reshape(strokes.shape[:2]), _STROKE_AREA_SIGMA)
    return np.add(energy, np.float32(_STROKE_FLOOR), out=energy)
