"""Stones of a mosaic, laid in rows that follow a design, in a bed of dark grout.

Each stone claims the ground nearest to it in a square metric that is turned with its row, as
in Hausner, Simulating Decorative Mosaics (2001); rows come from streamlines instead of from
relaxation, since a mosaicist lays row after row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .fields import Field, Image, Mask, noise, reduce
from .palette import Colors, plain
from .streamlines import STEP, Growth, Line, streamlines

GROUT = (52, 40, 34)
_FINE = 2
# Cells of the canvas in a pixel, each way.
_REACH = 1.3
# A stone ends here even where it has no neighbor: half sizes from its middle.
_JOINT = 1.1
# Pixels from the middle of a joint to the stone.


class Design:
    """What the mosaicist follows: rows, their height in pixels, and colors."""

    def __init__(self, height: int, width: int) -> None:
        self.across: Field = np.zeros((height, width), np.float32)
        self.direction: Field = np.zeros((height, width), np.float32)
        self.row: Field = np.ones((height, width), np.float32)
        self.region = np.zeros((height, width), np.int32)
        self.colors: Colors = np.zeros((height, width, 3), np.float32)

    def put(self, where: Mask, across: npt.ArrayLike, colors: Colors, *, row: float) -> None:
        """Lays a thing in front of all before it.

        Rows lie where ``across``, in pixels, is the same, and are ``row`` pixels high.
        """
        levels = np.asarray(across, np.float32)
        rise, run = np.gradient(cv2.GaussianBlur(levels, (0, 0), 2))
        self.across[where] = levels[where]
        self.direction[where] = (np.arctan2(rise, run) + np.pi / 2)[where]
        self.row[where] = row
        self.region[where] = self.region.max() + 1
        self.colors[where] = np.broadcast_to(colors, self.colors.shape)[where]


@dataclass(frozen=True, slots=True)
class Stone:
    """One tessera."""

    x: float
    y: float
    angle: float
    half_length: float
    """Along its row, in pixels."""
    half_height: float


def lay(design: Design, random: np.random.Generator) -> list[Stone]:
    """Stones for the whole design, row after row."""
    growth = Growth(
        direction=design.direction,
        spacing=np.float32(0.92) * design.row,
        region=design.region,
        shortest=0,
        longest=np.full(design.row.shape, 600, np.float32),
    )
    return [
        stone
        for line in streamlines(growth, _row_seeds(design, random))
        for stone in _along(line, design, random)
    ]


def _row_seeds(design: Design, random: np.random.Generator) -> list[tuple[int, int]]:
    """First the middles of rows, from the edge of each thing inwards; then what is left."""
    height, width = design.row.shape
    y, x = (axis.ravel() for axis in np.mgrid[0:height:2, 0:width:2])
    order = random.permutation(len(x))
    x, y = x[order], y[order]
    rows = design.across[y, x] / design.row[y, x]
    off_middle = np.abs(rows - np.floor(rows) - 0.5) > 0.12
    sequence = np.lexsort((np.floor(rows), design.region[y, x], off_middle))
    return list(zip(x[sequence].tolist(), y[sequence].tolist(), strict=True))


def _along(line: Line, design: Design, random: np.random.Generator) -> Iterator[Stone]:
    """Stones side by side on a row, none like the other."""
    column, row = line[len(line) // 2].astype(int)
    height = float(design.row[row, column])
    at, end = 0.0, (len(line) - 1) * STEP
    while at <= end:
        length = height * random.uniform(0.72, 1.4)
        if at + length > end - 0.4 * height:
            length = max(end - at, 0.6 * height)
        x, y = line[min(round((at + length / 2) / STEP), len(line) - 1)]
        angle = float(design.direction[int(y), int(x)]) + random.normal(0, 0.05)
        yield Stone(float(x), float(y), angle, length / 2, height / 2 * random.uniform(0.92, 1.08))
        at += length


def render(design: Design, stones: list[Stone], random: np.random.Generator) -> Image:
    """The image of the stones, each of one color, chipped, tilted and lit from above left."""
    owner = _owners(stones, *design.row.shape)
    depth = _depth(owner)
    covered = np.clip((depth - _JOINT * _FINE) / 1.2 + 0.5, 0, 1)
    height, width = owner.shape
    lit = _light(owner, depth, stones, random)
    grain = 1 + 0.05 * noise(random, height, width, 7)
    colors = _stone_colors(design, stones, random)
    stylized = colors[owner] * (lit * grain)[..., np.newaxis]
    grout = plain(GROUT) * (1 + 0.25 * noise(random, height, width, 9))[..., None]
    image = grout + (stylized - grout) * covered[..., np.newaxis]
    return reduce(np.clip(np.rint(image), 0, 255).astype(np.uint8), _FINE)


def _owners(stones: list[Stone], height: int, width: int) -> npt.NDArray[np.int32]:
    """Which stone has each cell, counted from 1; 0 where none reaches."""
    owner = np.zeros((height * _FINE, width * _FINE), np.int32)
    nearest = np.full(owner.shape, _REACH, np.float32)
    for number, stone in enumerate(stones, start=1):
        middle_x, middle_y = (stone.x + 0.5) * _FINE, (stone.y + 0.5) * _FINE
        reach = int(_REACH * 1.45 * _FINE * max(stone.half_length, stone.half_height)) + 1
        top, left = max(int(middle_y) - reach, 0), max(int(middle_x) - reach, 0)
        part = np.s_[top : int(middle_y) + reach, left : int(middle_x) + reach]
        rows, columns = nearest[part].shape
        x = np.arange(left, left + columns, dtype=np.float32) - middle_x
        y = (np.arange(top, top + rows, dtype=np.float32) - middle_y)[:, np.newaxis]
        cosine, sine = np.cos(stone.angle), np.sin(stone.angle)
        along = np.abs(x * cosine + y * sine) / (stone.half_length * _FINE)
        across = np.abs(y * cosine - x * sine) / (stone.half_height * _FINE)
        distance = np.maximum(along, across)
        closer = distance < nearest[part]
        nearest[part][closer] = distance[closer]
        owner[part][closer] = number
    return owner


def _depth(owner: npt.NDArray[np.int32]) -> Field:
    """Cells from the edge of a stone inwards; softened, which rounds the corners."""
    inner = (owner > 0).astype(np.uint8)
    inner[:, 1:] &= owner[:, 1:] == owner[:, :-1]
    inner[1:] &= owner[1:] == owner[:-1]
    depth = cv2.distanceTransform(inner, cv2.DIST_L2, 5)
    return np.asarray(cv2.GaussianBlur(depth, (0, 0), 1.6), np.float32)


def _light(
    owner: npt.NDArray[np.int32], depth: Field, stones: list[Stone], random: np.random.Generator
) -> Field:
    """Brightness: the edges' bevel, and the tilt of each stone in its bed."""
    height, width = owner.shape
    down = cv2.Sobel(depth, cv2.CV_32F, 0, 1, scale=1 / 8)
    right = cv2.Sobel(depth, cv2.CV_32F, 1, 0, scale=1 / 8)
    bevel = np.clip(1 - depth / (3.4 * _FINE), 0, 1) * (down + right)
    x = np.array([0.0, *(stone.x for stone in stones)], np.float32)[owner]
    y = np.array([0.0, *(stone.y for stone in stones)], np.float32)[owner]
    tilts = random.normal(0, 0.010, (2, len(stones) + 1)).astype(np.float32)
    off_x = np.arange(width, dtype=np.float32) / _FINE - x
    off_y = (np.arange(height, dtype=np.float32) / _FINE)[:, np.newaxis] - y
    lit = 1 + 0.34 * bevel + tilts[0][owner] * off_x + tilts[1][owner] * off_y
    return np.asarray(lit, np.float32)


def _stone_colors(design: Design, stones: list[Stone], random: np.random.Generator) -> Colors:
    """The design's color at each stone's middle, and a little off: (N + 1, 3), first the grout."""
    rows = [int(stone.y) for stone in stones]
    columns = [int(stone.x) for stone in stones]
    colors = design.colors[rows, columns]
    brightness = random.normal(1, 0.10, (len(stones), 1))
    tint = random.normal(1, 0.045, (len(stones), 3))
    return np.concatenate([[GROUT], colors * brightness * tint]).astype(np.float32)
