"""Lines that follow a field of directions and keep their distance from each other.

After Jobard and Lefer, Creating Evenly-Spaced Streamlines of Arbitrary Density (1997):
a line starts where none is near, and grows both ways until another one is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .fields import Field

Line = npt.NDArray[np.float32]
"""(N, 2), points x and y in pixels, one step apart."""

STEP = 2.0
"""Pixels between two points of a line."""
_FINE = 2
# Cells of the map of taken places in a pixel, each way.
_CLOSEST = 0.62
# Two lines may come this share of their distance close before one of them ends.


@dataclass(frozen=True, slots=True)
class Growth:
    """Where lines go and where they end."""

    direction: Field
    """Radians, clockwise from the x axis as y points down."""
    spacing: Field
    """Pixels between neighbors; no line where it is 0."""
    region: npt.NDArray[np.int32]
    """A line ends where the number changes."""
    shortest: float
    """Pixels; shorter lines are dropped."""
    longest: Field
    """Pixels, as it is where a line starts."""


def streamlines(growth: Growth, seeds: Iterable[tuple[int, int]]) -> Iterator[Line]:
    """Lines through those of the ``seeds`` (x, y) that are free when their turn comes."""
    height, width = growth.spacing.shape
    near = np.zeros((height * _FINE, width * _FINE), np.uint8)
    touching = np.zeros_like(near)
    for x, y in seeds:
        spacing = float(growth.spacing[y, x])
        if spacing <= 0 or near[y * _FINE, x * _FINE]:
            continue
        line = _grown(growth, touching, x, y)
        if (len(line) - 1) * STEP < growth.shortest:
            continue
        _stamp(near, line, 2 * spacing)
        _stamp(touching, line, 2 * _CLOSEST * spacing)
        yield line


def shuffled_seeds(
    random: np.random.Generator, height: int, width: int, pitch: int
) -> list[tuple[int, int]]:
    """The points of a grid in random order."""
    points = [(x, y) for y in range(0, height, pitch) for x in range(0, width, pitch)]
    return [points[index] for index in random.permutation(len(points))]


def _grown(growth: Growth, touching: npt.NDArray[np.uint8], x: int, y: int) -> Line:
    steps = int(growth.longest[y, x] / STEP / 2)
    forward = _walk(growth, touching, (x, y), STEP, steps)
    backward = _walk(growth, touching, (x, y), -STEP, steps)
    return np.array(backward[:0:-1] + forward, np.float32)


def _walk(
    growth: Growth,
    touching: npt.NDArray[np.uint8],
    start: tuple[int, int],
    step: float,
    steps: int,
) -> list[tuple[float, float]]:
    """Points until another line, an edge, or half a turn: two walks make one ring at most."""
    height, width = growth.spacing.shape
    x, y = float(start[0]), float(start[1])
    region = growth.region[start[1], start[0]]
    angle, turned = float(growth.direction[start[1], start[0]]), 0.0
    points = [(x, y)]
    for _ in range(steps):
        x, y = x + step * math.cos(angle), y + step * math.sin(angle)
        if not (0 <= x < width and 0 <= y < height):
            break
        row, column = int(y), int(x)
        if growth.region[row, column] != region or growth.spacing[row, column] <= 0:
            break
        if touching[int(y * _FINE), int(x * _FINE)]:
            break
        points.append((x, y))
        last, angle = angle, float(growth.direction[row, column])
        turned += math.remainder(angle - last, math.tau)
        if abs(turned) > math.pi:
            break
    return points


def _stamp(taken: npt.NDArray[np.uint8], line: Line, thickness: float) -> None:
    """Marks what lies within half of ``thickness`` pixels of the line."""
    points = np.rint(line * _FINE).astype(np.int32)
    cv2.polylines(taken, [points], False, 1, max(1, round(thickness * _FINE)))
