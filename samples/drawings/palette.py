"""Colors of the drawings: RGB, and what lies between two of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Color = tuple[int, int, int]
"""RGB in [0, 255]."""
Colors = npt.NDArray[np.float32]
"""(..., 3), RGB in [0, 255]."""


def plain(color: Color) -> Colors:
    """The color as (3,)."""
    return np.asarray(color, np.float32)


def graded(share: npt.ArrayLike, *colors: Color) -> Colors:
    """From the first color at 0 through the others to the last one at 1: ``share``'s (..., 3)."""
    stops = np.linspace(0, 1, len(colors))
    table = np.asarray(colors, np.float64)
    bands = [np.interp(np.asarray(share), stops, table[:, channel]) for channel in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)


def any_of(random: np.random.Generator, palette: tuple[Color, ...], count: int) -> Colors:
    """(count, 3): each one of the palette's, shifted towards another one by half at most."""
    scratch = np.asarray(palette, np.float32)
    first, second = scratch[random.integers(0, len(scratch), (2, count))]
    return np.asarray(first + (second - first) * random.uniform(0, 0.5, (count, 1)), np.float32)
