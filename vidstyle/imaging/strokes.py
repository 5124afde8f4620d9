"""Larger strokes: an image is stylized at a smaller size, and gets the source's detail back.

A network draws strokes of as many pixels as it was trained for. At twice the size they are half as
large, to the eye.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core.clip import Clip
from vidstyle.core.layers import HostArray
from vidstyle.kernels.detail import enlarge_with_detail
from vidstyle.kernels.library import has_kernels

TRAINED_FOR = (360, 640)
"""Height and width of the image for which strokes have the size of the style image's."""
StrokeSize: TypeAlias = Annotated[float, Field(ge=1 / 32, le=32)] | Literal["auto"]
"""How much larger than they are drawn, or as the image is larger than ``TRAINED_FOR``."""

# Part of a side that rounding to whole and even pixels may change.
_ROUNDED = 0.02
DETAIL_MEMORY = 4 * 12
"""Bytes a pixel of the planes from which detail is given back, the result among them."""

# Pixels of the smaller side that are stylized at least: less has no shapes.
_SHORTEST = 32
REACH = 2
"""Pixels, at the smaller size, on each side of one whose contrasts are compared."""
LEAST_VARIANCE = 1e-4
"""Of luma: what varies less is noise, whose detail is not wanted."""
STRONGEST = 6.0
"""Of the detail: where a style makes much of little, its edges would overshoot."""
MOST_DETAIL = 2.5
"""Times the detail that contrasts ask for: what is finer than the smaller size sees has weaker
contrasts than what it sees, and the network would have made more of it."""

# Times the root of the enlargement: the detail that contrasts behind a blend ask for, which takes a
# part of them.
_BEHIND_BLEND = 1.63


def stroke_size_option() -> Any:
    """Declare the option ``stroke_size`` of a stage.

    Returns:
        The field of a pydantic model.
    """
    return Field(
        1.0,
        description="Size of the strokes: 2 draws them twice as large, at half the size, which is"
        " faster, too, and gives the result the image's own detail. auto has them as large,"
        " relative to the image, as in one of 640x360.",
    )


@dataclass(frozen=True, slots=True)
class StrokeScale:
    """At what size images of one size are stylized."""

    size: tuple[int, int]
    """Height and width of the images."""
    small: tuple[int, int]
    """Height and width at which they are stylized; larger ones where strokes are finer."""
    full: tuple[int, int] | None = None
    """Height and width that the images had before they were reduced; None where they were not."""

    @property
    def detail(self) -> float:
        """Times the detail that contrasts ask for: none is missing where the size is kept."""
        return min((self.full or self.size)[0] / self.small[0], MOST_DETAIL)

    @property
    def reduces(self) -> bool:
        """Whether images are stylized at a smaller size, not at a larger one."""
        return math.prod(self.small) < math.prod(self.size)


def find_scale(stroke_size: StrokeSize, height: int, width: int) -> StrokeScale | None:
    """Find the size at which images are stylized.

    Args:
        stroke_size: 2 doubles the strokes of the network, 0.5 halves them; ``auto`` has them as
            large, relative to the image, as in one of 640x360, and never finer than the network
            draws them.
        height: Of the images, in pixels.
        width: Likewise.

    Returns:
        None where that is their own size.
    """
    if stroke_size == "auto":
        wanted = max(1.0, math.sqrt(height * width / math.prod(TRAINED_FOR)))
    else:
        wanted = stroke_size
    # Below that there would be nothing to see.
    factor = min(wanted, max(1.0, min(height, width) / _SHORTEST))
    small = (max(1, round(height / factor)), max(1, round(width / factor)))
    return None if small == (height, width) else StrokeScale((height, width), small)


def scale_of_clip(stroke_size: StrokeSize, clip: Clip) -> StrokeScale | None:
    """Find the size at which the frames of a clip are stylized.

    Args:
        stroke_size: As for ``find_scale``, relative to pixels of the clip's full size.
        clip: As it arrives: its frames may have been reduced.

    Returns:
        None where that is the size at which they arrive.
    """
    own = clip.height, clip.width
    if clip.full_size is None:
        return find_scale(stroke_size, *own)
    whole = find_scale(stroke_size, clip.full_size[1], clip.full_size[0])
    small = clip.full_size[::-1] if whole is None else whole.small
    # Both were rounded, each by itself.
    if all(abs(wanted - side) <= _ROUNDED * side for wanted, side in zip(small, own, strict=True)):
        return None
    return StrokeScale(own, small, clip.full_size[::-1])


def with_strokes(
    image: HostArray, scale: StrokeScale | None, stylize: Callable[[HostArray], HostArray]
) -> HostArray:
    """Stylize an image at another size, and give the result the image's own detail.

    Each channel is the enlarged stylized one and, weighted, the luma that the smaller image has
    lost. The weight is that by which contrasts there have grown or shrunk, or turned over, in the
    neighborhood. So edges lie where the source has them, and what is flat gets no noise.

    Args:
        image: (H, W, 3) RGB in [0, 1].
        scale: None stylizes it as it is.
        stylize: Gives a stylized image of the same shape.

    Returns:
        (H, W, 3) RGB in [0, 1].

    References:
        He et al. 2013, Guided Image Filtering; He, Sun 2015, Fast Guided Filter: the comparison in
        windows, at a smaller size.
    """
    if scale is None:
        return stylize(image)
    height, width = scale.small
    if not scale.reduces:
        larger = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        return reduced(stylize(larger), *scale.size)
    small = reduced(image, height, width)
    return _with_detail(image, small, stylize(small), scale.detail)


def restore_detail(stylized: HostArray, small: HostArray, image: HostArray) -> HostArray:
    """Enlarge a stylized image to that of which it shows a smaller version, and give it its detail.

    Args:
        stylized: (h, w, 3) RGB in [0, 1].
        small: The image at that size, of the same shape.
        image: (H, W, 3) RGB in [0, 1].

    Returns:
        (H, W, 3) RGB in [0, 1]; the stylized image itself where the sizes are equal.

    References:
        As ``with_strokes``.
    """
    if stylized.shape == image.shape:
        return stylized
    enlarged = math.sqrt(image.size / stylized.size)
    detail = min(_BEHIND_BLEND * math.sqrt(enlarged), MOST_DETAIL)
    return _with_detail(image, small, stylized, detail)


def reduced(image: HostArray, height: int, width: int) -> HostArray:
    """Reduce an image, each pixel the mean of the area that it covers.

    Args:
        image: (H, W) or (H, W, C).
        height: Of the result, in pixels.
        width: Likewise.

    Returns:
        (height, width) or (height, width, C).
    """
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _with_detail(
    image: HostArray, small: HostArray, stylized: HostArray, detail: float
) -> HostArray:
    luma = _luma(small)
    mean, variance = _moments(luma)
    # Plane by plane: OpenCV computes each pass at once.
    planes = [np.asarray(plane, np.float32) for plane in cv2.split(stylized)]
    weights = [_weights(plane, luma, mean, variance, detail) for plane in planes]
    if has_kernels():
        together = np.asarray(cv2.merge(weights), np.float32)
        return enlarge_with_detail(image, stylized, luma, together)
    shape, lost = (image.shape[1], image.shape[0]), _luma(image)
    cv2.subtract(lost, cv2.resize(luma, shape, interpolation=cv2.INTER_CUBIC), dst=lost)
    results = []
    for plane, weight in zip(planes, weights, strict=True):
        large = cv2.resize(weight, shape, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(large, lost, dst=large)
        cv2.add(large, cv2.resize(plane, shape, interpolation=cv2.INTER_CUBIC), dst=large)
        results.append(np.clip(large, 0, 1, out=large))
    return np.asarray(cv2.merge(results), np.float32)


def _luma(image: HostArray) -> HostArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def _weights(
    plane: HostArray, luma: HostArray, mean: HostArray, variance: HostArray, detail: float
) -> HostArray:
    own_mean, own_variance = _moments(plane)
    together = _mean(plane * luma) - own_mean * mean
    variance = variance + LEAST_VARIANCE
    # Between the slope of a line through the pixels and the quotient of their deviations: strokes
    # that follow an edge half way have its contrast. Two roots take a tenth of the time of a power.
    root = np.sqrt(own_variance / variance) / variance
    weight = np.asarray(np.sqrt(np.abs(together) * root), np.float32)
    weight *= np.float32(detail)
    np.minimum(weight, STRONGEST, out=weight)
    return _mean(np.copysign(weight, together, out=weight))


def _moments(plane: HostArray) -> tuple[HostArray, HostArray]:
    mean = _mean(plane)
    return mean, np.maximum(_mean(plane * plane) - mean * mean, 0)


def _mean(plane: HostArray) -> HostArray:
    side = 2 * REACH + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)
