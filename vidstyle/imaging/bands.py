"""Work on images in bands of rows and in planes, where the cache and numpy are fast.

Work on bands gives the same bits as work on the whole image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.derived import double

PixelT = TypeVar("PixelT", bound=np.generic)

# Of a band: few enough for the cache, enough to outweigh what a call costs.
_PIXELS = 256 * 1024


@dataclass(frozen=True, slots=True)
class Band:
    """Rows ``first`` to ``last``, not included, of an image of this size.

    Both are even, or the band is the whole image: so it is a whole number of rows at half size.
    """

    first: int
    last: int
    height: int
    width: int

    def of(self, image: npt.NDArray[PixelT]) -> npt.NDArray[PixelT]:
        """Give the band's rows of an image as a view.

        Args:
            image: (H, W, ...).

        Returns:
            (rows, W, ...).
        """
        return image[self.first : self.last]

    def of_half(self, image: npt.NDArray[PixelT]) -> npt.NDArray[PixelT]:
        """Give the band's rows of an image at half size as a view.

        Args:
            image: (h, w, ...).

        Returns:
            (rows, w, ...).
        """
        return image[self.first // 2 : (self.last + 1) // 2]

    def double(self, half: HostArray) -> HostArray:
        """Give the band's rows of ``double(half)``, bit for bit.

        Args:
            half: (h, w, ...), the whole image at half size.

        Returns:
            (rows, W, ...).
        """
        above, below = int(self.first > 0), int(self.last < self.height)
        rows = half[self.first // 2 - above : (self.last + 1) // 2 + below]
        height = self.last - self.first + 2 * (above + below)
        return double(rows, height, self.width)[2 * above : height - 2 * below]

    def wider(self, reach: int) -> Band:
        """Give the band with more rows on both sides.

        Args:
            reach: How many rows at most, an even number.

        Returns:
            The band, cut at the image's edges.
        """
        first, last = max(0, self.first - reach), min(self.height, self.last + reach)
        return Band(first, last, self.height, self.width)

    def within(self, wider: Band, rows: npt.NDArray[PixelT]) -> npt.NDArray[PixelT]:
        """Give the band's rows of the rows of a wider band.

        Args:
            wider: A band around this one.
            rows: Its rows.

        Returns:
            This band's rows, as a view.
        """
        return rows[self.first - wider.first : self.last - wider.first]

    def filter_rows(
        self, image: HostArray, reach: int, function: Callable[[HostArray], HostArray]
    ) -> HostArray:
        """Give the band's rows of a filtered image.

        Args:
            image: (H, W, ...).
            reach: Rows that the filter reads around each, an even number.
            function: The filter.

        Returns:
            Rows of ``function(image)``.
        """
        wider = self.wider(reach)
        return self.within(wider, function(wider.of(image)))


def bands(height: int, width: int) -> Iterator[Band]:
    """Cut an image into bands from the top; one band where the height is odd.

    Args:
        height: Of the image, in pixels.
        width: Of the image, in pixels.

    Returns:
        Bands that cover the image, each of about 256 K pixels.
    """
    rows = height if height % 2 else max(2, _PIXELS // width // 2 * 2)
    for first in range(0, height, rows):
        yield Band(first, min(first + rows, height), height, width)


def repeat_plane(plane: HostArray) -> HostArray:
    """Repeat a plane as each channel of an image.

    numpy works on images of one shape several times as fast as it broadcasts.

    Args:
        plane: (H, W).

    Returns:
        (H, W, 3).
    """
    return np.asarray(cv2.merge([plane, plane, plane]), np.float32)


def split_planes(image: HostArray) -> tuple[HostArray, ...]:
    """Copy the channels of an image into planes.

    Args:
        image: (H, W, C).

    Returns:
        C planes, (H, W) each.
    """
    return tuple(np.asarray(plane, np.float32) for plane in cv2.split(image))
