"""Images derived from an image (halved, averaged, gray), and a cache for the newest ones."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import places


def halved(image: HostArray) -> HostArray:
    """``image``, (H, W) or (H, W, C), at half its size, rounded up: 2x2 pixels averaged."""
    height, width = image.shape[:2]
    size = ((width + 1) // 2, (height + 1) // 2)
    # The same mean where sides are even. It takes OpenCV less time for planes, but more for color.
    by_area = image.ndim == 2 and height % 2 == 0 and width % 2 == 0
    kind = cv2.INTER_AREA if by_area else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=kind), np.float32)


def doubled(image: HostArray, height: int, width: int) -> HostArray:
    """What ``halved`` gave, on the grid of (height, width) again, without the fine detail."""
    larger = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger, np.float32)


def halved_places(
    across: HostArray, down: HostArray, whole: tuple[int, ...]
) -> tuple[HostArray, HostArray]:
    """Columns and rows, (h, w) in pixels of the halved image, that a halved flow leads to.

    ``across`` and ``down`` are the flow's planes as ``halved`` gives them, still in pixels of the
    image, whose height and width ``whole`` begins with.
    """
    height, width = across.shape
    return places(across * np.float32(width / whole[1]), down * np.float32(height / whole[0]))


_REACH = 2.5
# Standard deviations on each side; 99 % of the weight. OpenCV's own default for floats is 4.


def smooth(image: HostArray, sigma: float) -> HostArray:
    """Gaussian average of ``image``, (H, W) or (H, W, C), its edge repeated.

    ``sigma`` is in pixels. The kernel ends at 2.5 sigma and sums to 1.
    """
    side = 2 * reach_of(sigma) + 1
    result = cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(result, np.float32).reshape(image.shape)


def reach_of(sigma: float) -> int:
    """How many pixels on each side ``smooth`` looks at."""
    return math.ceil(_REACH * sigma)


Gray8: TypeAlias = npt.NDArray[np.uint8]
"""(H, W), 0 to 255."""


def gray8(image: HostArray) -> Gray8:
    """Luma of ``image``, (H, W, 3) RGB in [0, 1], with the weights of BT.601, rounded.

    Values outside of [0, 1] are clamped.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.convertScaleAbs(np.maximum(luma, 0), alpha=255), np.uint8)


MadeT = TypeVar("MadeT")


class Latest(Generic[MadeT]):
    """A function of one image that remembers its last two results, by the array it was given.

    A stage sees each frame twice or more: as its neighbor's neighbor and as its own. Nothing
    may write to such an image, nor to the result. One thread may use it at a time, and asks in
    the order of frames. The image itself is not kept alive.
    """

    def __init__(self, make: Callable[[HostArray], MadeT]) -> None:
        self._make = make
        self._made: tuple[tuple[weakref.ref[HostArray], MadeT], ...] = ()

    def __call__(self, image: HostArray) -> MadeT:
        for seen, made in self._made:
            if seen() is image:
                return made
        made = self._make(image)
        self._made = (*self._made[-1:], (weakref.ref(image), made))
        return made
