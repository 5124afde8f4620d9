"""Colours of the drawings: RGB, and what lies between two of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
"""RGB in [0, 255]."""
Colours = npt.NDArray[np.float32]
"""(..., 3), RGB in [0, 255]."""


def plain(colour: Colour) -> Colours:
    """The colour as (3,)."""
    return np.asarray(colour, np.float32)


def graded(share: npt.ArrayLike, *colours: Colour) -> Colours:
    """From the first colour at 0 through the others to the last one at 1: ``share``'s (..., 3)."""
    stops = np.linspace(0, 1, len(colours))
    table = np.asarray(colours, np.float64)
    bands = [np.interp(np.asarray(share), stops, table[:, channel]) for channel in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)


def any_of(random: np.random.Generator, palette: tuple[Colour, ...], count: int) -> Colours:
    """(count, 3): each one of the palette's, shifted towards another one by half at most."""
    shelf = np.asarray(palette, np.float32)
    first, second = shelf[random.integers(0, len(shelf), (2, count))]
    return np.asarray(first + (second - first) * random.uniform(0, 0.5, (count, 1)), np.float32)
