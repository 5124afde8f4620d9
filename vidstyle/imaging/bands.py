"""Work on images in bands of rows and in planes, where numpy and the cache are fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.derived import doubled

PixelT = TypeVar("PixelT", bound=np.generic)

_PIXELS = 128 * 1024
# Of a band: few enough for the cache, enough to outweigh what a call costs.


@dataclass(frozen=True, slots=True)
class Band:
    """Rows ``first`` to ``last``, not included, of an image of this size.

    Both are even, or the band is the whole image: so it is the whole number of rows at half
    size.
    """

    first: int
    last: int
    height: int
    width: int

    def of(self, image: npt.NDArray[PixelT]) -> npt.NDArray[PixelT]:
        """These rows of ``image`` (H, W, ...), not copied."""
        return image[self.first : self.last]

    def of_half(self, image: npt.NDArray[PixelT]) -> npt.NDArray[PixelT]:
        """These rows of ``image`` (h, w, ...), which is at half size, not copied."""
        return image[self.first // 2 : (self.last + 1) // 2]

    def doubled(self, half: HostArray) -> HostArray:
        """These rows of ``doubled(half)``, bit for bit."""
        above, below = int(self.first > 0), int(self.last < self.height)
        rows = half[self.first // 2 - above : (self.last + 1) // 2 + below]
        height = self.last - self.first + 2 * (above + below)
        return doubled(rows, height, self.width)[2 * above : height - 2 * below]

    def wider(self, reach: int) -> Band:
        """With ``reach`` rows more on both sides, an even number, as far as there are any."""
        first, last = max(0, self.first - reach), min(self.height, self.last + reach)
        return Band(first, last, self.height, self.width)

    def within(self, wider: Band, rows: npt.NDArray[PixelT]) -> npt.NDArray[PixelT]:
        """These rows of what ``wider`` has."""
        return rows[self.first - wider.first : self.last - wider.first]

    def filtered(
        self, image: HostArray, reach: int, function: Callable[[HostArray], HostArray]
    ) -> HostArray:
        """These rows of ``function(image)``, which looks at ``reach`` rows around."""
        wider = self.wider(reach)
        return self.within(wider, function(wider.of(image)))


def bands(height: int, width: int) -> Iterator[Band]:
    """All of an image, from the top; one band where the height is odd."""
    rows = height if height % 2 else max(2, _PIXELS // width // 2 * 2)
    for first in range(0, height, rows):
        yield Band(first, min(first + rows, height), height, width)


def three_times(plane: HostArray) -> HostArray:
    """``plane``, (H, W), as each channel of an image (H, W, 3).

    numpy works on images of one shape several times as fast as it broadcasts.
    """
    return np.asarray(cv2.merge([plane, plane, plane]), np.float32)


def channels(image: HostArray) -> tuple[HostArray, ...]:
    """The planes (H, W) of ``image`` (H, W, C), not shared with it."""
    return tuple(np.asarray(plane, np.float32) for plane in cv2.split(image))
