"""Photos for convolutions in 8 bits: few, spread over a folder, and alike in size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidstyle.models.style.eight_bits import EightBits, measure_eight_bits
from vidstyle.models.style.network import StyleNetwork
from vidstyle.training.photos import read_squares

_SIDE = 320


def spread_photos(photos: Sequence[Path], most: int = 16) -> Sequence[Path]:
    """Choose photos that are spread evenly over a row.

    Args:
        photos: Files, at least one.
        most: How many of them.

    Returns:
        So many, or all of fewer.
    """
    count = min(most, len(photos))
    return [photos[index * len(photos) // count] for index in range(count)]


def measure_on_squares(
    network: StyleNetwork, photos: Sequence[Path], others: Sequence[Path]
) -> EightBits:
    """Measure what 8 bits need, on the middles of photos of 320x320 pixels.

    Args:
        network: Of a style.
        photos: Files: the ranges are theirs.
        others: Files: the difference is measured on these.

    Returns:
        Ranges and error.

    Raises:
        InputError: No photo can be read.
    """
    squares, other_squares = (
        [square[0].permute(1, 2, 0).numpy() for square in read_squares(paths, _SIDE)]
        for paths in (photos, others)
    )
    return measure_eight_bits(network, squares, other_squares)
