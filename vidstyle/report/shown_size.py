"""How large an image is shown."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.core import Clip, HostArray
from vidstyle.imaging.contact_sheet import Image

Size = tuple[int, int]
"""Width and height in pixels."""


def shown_size(clip: Clip, widest: int) -> Size:
    """The clip's size with square pixels, reduced to ``widest`` pixels across and to even sides.

    Nothing is enlarged: a clip with tall pixels gets narrower, one with wide pixels lower.
    """
    aspect = float(clip.sample_aspect)
    width, height = clip.width * min(1, aspect), clip.height / max(1, aspect)
    scale = min(1, widest / width)
    return _even(width * scale), _even(height * scale)


def resized(image: HostArray, size: Size) -> HostArray:
    """An image (H, W, C) at a size: by area where it shrinks, bicubic where it grows."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    smaller = size[0] * size[1] < width * height
    kernel = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    result = cv2.resize(image, size, interpolation=kernel)
    return np.asarray(result, np.float32).reshape(size[1], size[0], -1)


def in_bytes(image: HostArray) -> Image:
    """An image (H, W, 3) in [0, 1] in whole 255ths; values outside are clamped."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
