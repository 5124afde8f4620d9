"""Smooth fields over the image: coordinates, noise, soft steps."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
"""(H, W), one number a pixel."""
Mask = npt.NDArray[np.bool_]
Image = npt.NDArray[np.uint8]
"""(H, W, 3), RGB."""


def coordinates(height: int, width: int) -> tuple[Field, Field]:
    """x and y of every pixel's center, in pixels."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return x, y


def noise(random: np.random.Generator, height: int, width: int, period: float) -> Field:
    """Smooth random hills, most of them within [-1, 1]; ``period`` is their size in pixels."""
    total = np.zeros((height, width), np.float32)
    for octave, share in enumerate((1.0, 0.4)):
        cell = period / 2**octave
        rows, columns = int(height / cell) + 3, int(width / cell) + 3
        coarse = random.uniform(-1, 1, (rows, columns)).astype(np.float32)
        size = (int(columns * cell) + 1, int(rows * cell) + 1)
        fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        top, left = int(cell / 2), int(cell / 2)
        total += share * fine[top : top + height, left : left + width]
    return total


def wiggle(random: np.random.Generator, length: int, period: float) -> npt.NDArray[np.float32]:
    """Smooth random numbers along a line, most of them within [-1, 1]."""
    return np.asarray(noise(random, 1, length, period)[0], np.float32)


def ramp(values: npt.ArrayLike, start: float, end: float) -> Field:
    """From 0 at ``start`` to 1 at ``end``, gently at both; ``end`` may be the smaller one."""
    share = np.clip((np.asarray(values, np.float32) - start) / (end - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def reduce(large: npt.NDArray[np.uint8], times: int) -> npt.NDArray[np.uint8]:
    """The image at 1 / ``times`` of its size, each pixel the mean of the area it covers."""
    height, width = large.shape[0] // times, large.shape[1] // times
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
