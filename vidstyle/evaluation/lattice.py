"""Lattices: patterns of 2, 4 or 8 pixels that a network lays over smooth areas.

Networks that reduce and enlarge images can leave them, since their pixels are computed by other
parts of a kernel in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray

PERIODS = (2, 4, 8)
"""In pixels."""
FLAT_SIDE = 256
"""Pixels of a side of the images that ``flat_images`` gives."""
# Twice the inner area must stay for the edges, where networks make frames.
_INNER = 128
# Frequencies around one of a lattice that it is compared with, in steps of 1 / _INNER: from beyond
# the window's own width to halfway to the next one.
_NEAR, _FAR = 5, 7
# Of the window's cosines: what is 4 frequencies away is below 1e-4. Through a simpler window strong
# strokes would leak into a lattice's frequencies.
_WINDOW = (0.35875, -0.48829, 0.14128, -0.01168)
# Rounding to 8 bits: what is below it is invisible, and counts as much everywhere.
_ROUNDING = (1 / 255) ** 2 / 12
_COLORS = (
    *((level,) * 3 for level in (0.1, 0.3, 0.5, 0.7, 0.9)),
    *((0.8, 0.3, 0.2), (0.2, 0.6, 0.3), (0.25, 0.4, 0.75), (0.85, 0.75, 0.5)),
)
NOISE = 1 / 255
"""Standard deviation of what a smooth area of a photo has at least."""

Spectrum = npt.NDArray[np.float64]


def flat_images(deviation: float = NOISE) -> Iterator[HostArray]:
    """Make images of one color each, grays and others, with noise.

    Without noise a lattice stands alone, and its peak is in units of what rounding to 8 bits adds.

    Args:
        deviation: Standard deviation of the noise.

    Yields:
        (H, W, 3) RGB in [0, 1], the same ones every time.
    """
    random = np.random.default_rng(0)
    for color in _COLORS:
        noise = deviation * random.standard_normal((FLAT_SIDE, FLAT_SIDE, 3))
        yield np.clip(np.array(color) + noise, 0, 1).astype(np.float32)


def lattice_peaks(image: HostArray) -> Mapping[int, float]:
    """Measure how far a lattice's frequencies stand out of an image's spectrum.

    Args:
        image: (H, W, 3) in [0, 1], a stylized flat image, of 128 pixels a side at least; its middle
            counts.

    Returns:
        By period in pixels, the amplitude at the frequencies of that period over the one around
        them, each with what rounding to 8 bits adds: 1 where there is no lattice.

    Raises:
        ValueError: The image is too small.

    References:
        Harris 1978, On the Use of Windows for Harmonic Analysis with the Discrete Fourier
        Transform, table 1: the window with 4 terms.
    """
    if min(image.shape[:2]) < _INNER:
        raise ValueError(f"an image has {_INNER} pixels a side at least, got {image.shape[:2]}")
    spectrum = _spectrum(image)
    found = {}
    for period in PERIODS:
        places = _places(period)
        # A lattice lies on these frequencies exactly, strokes beside them.
        peak = np.mean([spectrum[place] for place in places])
        around = np.mean([_level_around(spectrum, *place) for place in places])
        found[period] = float(np.sqrt(peak / around))
    return found


def mean_peaks(peaks: list[Mapping[int, float]]) -> Mapping[int, float]:
    """Average the peaks of several images.

    Args:
        peaks: From ``lattice_peaks``, at least one.

    Returns:
        By period in pixels.
    """
    return {period: float(np.mean([one[period] for one in peaks])) for period in PERIODS}


def _spectrum(image: HostArray) -> Spectrum:
    """Power by frequency, mean of the channels, in units of a channel's variance."""
    top, left = ((side - _INNER) // 2 for side in image.shape[:2])
    inner = image[top : top + _INNER, left : left + _INNER].astype(np.float64)
    angles = 2 * np.pi * np.arange(_INNER) / _INNER
    line = sum(factor * np.cos(order * angles) for order, factor in enumerate(_WINDOW))
    window = np.outer(line, line)[..., np.newaxis]
    weight = float(np.square(window).sum())
    mean = (inner * window).sum((0, 1)) / window.sum()
    power = np.square(np.abs(np.fft.fft2((inner - mean) * window, axes=(0, 1)))).mean(2)
    return np.asarray(power / weight + _ROUNDING)


def _places(period: int) -> list[tuple[int, int]]:
    """The frequencies of patterns that repeat after so many pixels, and not after fewer."""
    step, before = _INNER // period, 2 * _INNER // period
    half = range(0, _INNER // 2 + 1, step)
    whole = range(0, _INNER, step)
    return [
        (down, across)
        for down in half
        for across in whole
        if (down or across) and (down % before or across % before)
    ]


def _level_around(spectrum: Spectrum, down: int, across: int) -> float:
    """Median power of the ring of frequencies around one."""
    steps = np.arange(-_FAR, _FAR + 1)
    far = np.maximum(np.abs(steps)[:, np.newaxis], np.abs(steps)) >= _NEAR
    values = spectrum[np.ix_((down + steps) % _INNER, (across + steps) % _INNER)]
    return float(np.median(values[far]))
