"""An image as strips of whole rows: what a network paints at a time where memory is short.

Rows are one piece of memory, and a strip has neighbors on two sides only. So tiles are strips
here, of about as many pixels as the square that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

UNIT = 4
"""Rows of an image that strips consist of: one at quarter size, the networks' coarsest."""
_LEAST = 8
"""Units of a strip: below that convolutions read more rows around it than it has."""
_LARGEST = 256
"""Side of the largest tile that is painted at once. Larger ones take more memory and are not
faster: they leave the processor's cache."""


@dataclass(frozen=True, slots=True)
class Rows:
    """From one row to before another."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def within(self, height: int) -> Rows:
        """Those of them that exist."""
        return Rows(max(0, self.start), min(height, self.stop))

    def moved(self, down: int) -> Rows:
        return Rows(self.start + down, self.stop + down)

    def times(self, factor: int) -> Rows:
        """The same where each row is so many."""
        return Rows(self.start * factor, self.stop * factor)


def strips_of(height: int, width: int, tile: int | None) -> tuple[Rows, ...]:
    """Strips of an image, in units, from top to bottom: one where it is no larger than a tile.

    All are of one size, since a network is compiled for each; for that a strip may overlap the
    one before it by one unit. ``tile`` is the side, in pixels, of a square of as many pixels as a
    strip has at most; no less than 32 rows are taken, and no larger square than 256.
    """
    units = -(-height // UNIT)
    if tile is None or tile * tile >= height * width:
        return (Rows(0, units),)
    most = max(_LEAST, min(tile, _LARGEST) ** 2 // (UNIT * width))
    count = -(-units // most)
    size = -(-units // count)
    starts = (index * (units - size) // max(1, count - 1) for index in range(count))
    return tuple(Rows(start, start + size) for start in starts)
