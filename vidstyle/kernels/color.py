"""Between the planes of 8-bit video and RGB, where sides are even."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_void_p
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from math import floor
from typing import Final

import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.core.planes import PlaneFormat, Samples8, chroma_shape
from vidstyle.kernels.library import call, readable, sample_rows

# Bits of the weights with which chroma is enlarged across and down.
_BITS_ACROSS: Final = 14
_BITS_DOWN: Final = 12
# The bicubic kernel's slope at 1.
_SLOPE: Final = Fraction(-3, 5)
# Chroma samples before and behind one that are read.
_NEAR: Final = 2


def convert_planes(
    samples: Sequence[Samples8], form: PlaneFormat, matrix: npt.NDArray[np.floating]
) -> HostArray:
    """Convert the planes of a frame to RGB.

    Chroma gets as many samples as luma, code value for code value what FFmpeg's scaler makes of it
    by the bicubic kernel with all accuracy: 15 bits between across and down, and one rounding.

    Args:
        samples: Luma, (H, W) with both sides even, and both planes of chroma.
        form: What they stand for.
        matrix: (3, 4), from (Y, Cb, Cr, 1) to RGB, as H.273 has it: luma by one factor, red
            without Cb, blue without Cr.

    Returns:
        (H, W, 3) in [0, 1].

    Raises:
        ValueError: A plane has another size.

    References:
        Keys, Cubic convolution interpolation for digital image processing, 1981.
    """
    height, width = samples[0].shape
    image = np.empty((height, width, 3), np.float32)
    call(
        "rgb_of_planes",
        height,
        width,
        *form.chroma,
        *_addresses(samples, (height, width), form.chroma),
        _filters(_BITS_ACROSS, left=form.siting == "left"),
        _filters(_BITS_DOWN, left=False),
        np.ascontiguousarray(matrix, np.float32),
        image,
    )
    return image


def fill_planes(
    image: HostArray,
    form: PlaneFormat,
    matrix: npt.NDArray[np.floating],
    samples: Sequence[Samples8],
) -> None:
    """Convert RGB to the planes of a frame, with one rounding.

    A chroma sample is the mean of the pixels around it: of 2 by 2, or of 3 by 2 by the weights
    1-2-1 where it lies on a luma sample.

    Args:
        image: (H, W, 3), both sides even; clamped to [0, 1].
        form: What the samples stand for.
        matrix: (3, 4), from (R, G, B, 1) to code values.
        samples: Luma and both planes of chroma, which are written.

    Raises:
        ValueError: The image or a plane has another size.
    """
    height, width, _ = image.shape
    call(
        "planes_of_rgb",
        height,
        width,
        *form.chroma,
        int(form.siting == "left"),
        readable(image, height, width, 3),
        np.ascontiguousarray(matrix, np.float32),
        *_addresses(samples, (height, width), form.chroma),
    )


def _addresses(
    samples: Sequence[Samples8], size: tuple[int, int], chroma: tuple[int, int]
) -> list[c_void_p | int]:
    luma, blue, red = samples
    small = chroma_shape(size, chroma)
    return [*sample_rows(luma, *size), *sample_rows(blue, *small), *sample_rows(red, *small)]


@cache
def _filters(bits: int, *, left: bool) -> npt.NDArray[np.int32]:
    """The weights of the samples around one, (4, 5), for what lies on it or before it, and behind.

    The first and the third number along a side have their own: the scaler leaves the outermost
    sample out there.
    """
    before, behind = (Fraction(0), Fraction(1, 2)) if left else (Fraction(-1, 4), Fraction(1, 4))
    near = [_weight(before - sample) for sample in range(-_NEAR, _NEAR + 1)]
    far = [_weight(behind - sample) for sample in range(-_NEAR, _NEAR + 1)]
    edge = [Fraction(0), *near[1:]]
    return np.array([_whole(weights, bits) for weights in (near, far, edge, edge)], np.int32)


def _weight(distance: Fraction) -> Fraction:
    """The bicubic kernel (Keys, equation 15, with another slope)."""
    x, a = abs(distance), _SLOPE
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else Fraction(0)


def _whole(weights: Sequence[Fraction], bits: int) -> list[int]:
    """In parts of ``2**bits``, each with what the ones before it were rounded by."""
    total = sum(weights)
    sums = [floor(part * 2**bits / total + Fraction(1, 2)) for part in accumulate(weights)]
    return [after - before for before, after in pairwise([0, *sums])]
