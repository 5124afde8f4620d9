"""A leaded window: panes of streaky glass with light behind them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from .fields import Field, Image, Mask, coordinates, noise, reduce
from .palette import Colors, plain

Numbers = npt.NDArray[np.int32]
Points = npt.NDArray[np.float32]
"""(N, 2), x and y: shares of the sides, or pixels where said."""
FINE = 2
"""Cells of the canvas in a pixel, each way."""
LEAD = (18, 16, 20)
_CAME, _OUTLINE = 2.2, 3.8
# Half widths of the lead in pixels: between panes of one thing, and around it.
_CELL, _SCATTER = 96, 78
# Size of a facet on the map they are cut from, and how far its middle may lie off its corner.


class Window:
    """Which pane each cell belongs to, which thing each pane, and what color it has."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.pane: Numbers = np.zeros((height * FINE, width * FINE), np.int32)
        self.thing: Numbers = np.zeros_like(self.pane)
        self.colors: list[Colors] = []
        self._panes = 0

    def glaze(self, where: Mask, cells: Numbers, color: Callable[[Points], Colors]) -> None:
        """A thing in front of all before it, with one pane for each number in ``cells``.

        ``color`` maps the middles of the panes to their colors.
        """
        rows, columns = np.nonzero(where)
        numbers, pane = np.unique(cells[where], return_inverse=True)
        counts = np.bincount(pane)
        sums = np.stack([np.bincount(pane, columns), np.bincount(pane, rows)], axis=1)
        middles = sums / (counts[:, np.newaxis] * np.array(where.shape[::-1]))
        self.pane[where] = self._panes + pane
        self.thing[where] = self.thing.max() + 1
        self.colors.append(color(middles.astype(np.float32)))
        self._panes += len(numbers)

    def shape(self, outline: Points, color: Colors) -> None:
        """One pane in front of all before it; ``outline`` in pixels."""
        polygon = np.rint((outline + 0.5) * FINE * 16).astype(np.int32)
        cv2.fillPoly(self.pane, [polygon], self._panes, shift=4)
        cv2.fillPoly(self.thing, [polygon], int(self.thing.max()) + 1, shift=4)
        self.colors.append(np.asarray(color, np.float32).reshape(1, 3))
        self._panes += 1


def facets(
    random: np.random.Generator, height: int, width: int, across: float, down: float
) -> Numbers:
    """Irregular cells, about ``across`` by ``down`` pixels, numbered; on the fine canvas."""
    rows, columns = int(height / down) + 2, int(width / across) + 2
    seeds = np.ones((rows * _CELL, columns * _CELL), np.uint8)
    y, x = np.mgrid[0:rows, 0:columns] * _CELL + random.integers(0, _SCATTER, (2, rows, columns))
    seeds[y, x] = 0
    _, cells = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    x, y = coordinates(height * FINE, width * FINE)
    bend = 0.25 * noise(random, height * FINE, width * FINE, FINE * 2.5 * max(across, down))
    column = (x / FINE / across + bend + 0.5) * _CELL
    row = (y / FINE / down + bend + 0.5) * _CELL
    nearest = cv2.remap(
        cells.astype(np.float32), column, row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(nearest, np.int32)


def render(window: Window, random: np.random.Generator) -> Image:
    """The window with daylight behind it."""
    came, outline = _to_edge(window.pane), _to_edge(window.thing)
    colors = np.concatenate(window.colors)
    height, width = window.pane.shape
    grime = 0.34 * np.exp(-came / (5 * FINE))
    light = np.asarray(_streaks(window, random) - grime, np.float32)
    glass = _lit(colors[window.pane], light)
    lead = np.minimum(came - _CAME * FINE, outline - _OUTLINE * FINE)
    covered = np.clip(0.5 - lead, 0, 1)[..., np.newaxis]
    ridge = np.clip(-lead / (2.5 * FINE), 0, 1) * (1 + 0.5 * noise(random, height, width, 24))
    metal = plain(LEAD) + (20 * ridge)[..., np.newaxis]
    image = glass + (metal - glass) * covered
    image += 0.10 * (cv2.GaussianBlur(glass, (0, 0), 5 * FINE) - image * 0.4)
    return reduce(np.clip(np.rint(image), 0, 255).astype(np.uint8), FINE)


def _to_edge(numbers: Numbers) -> Field:
    """Cells to the nearest place where the number changes."""
    inner = np.ones(numbers.shape, np.uint8)
    inner[:, 1:] &= numbers[:, 1:] == numbers[:, :-1]
    inner[1:] &= numbers[1:] == numbers[:-1]
    distance = cv2.distanceTransform(inner, cv2.DIST_L2, 5)
    return np.asarray(cv2.GaussianBlur(distance, (0, 0), 1.2), np.float32)


def _streaks(window: Window, random: np.random.Generator) -> Field:
    """How much lighter the glass is than its color: streaks, ripples, and each pane's slant."""
    height, width = window.pane.shape
    panes = int(window.pane.max()) + 1
    x = np.linspace(0, width / FINE, width, dtype=np.float32)
    y = np.linspace(0, height / FINE, height, dtype=np.float32)[:, np.newaxis]
    angles = random.uniform(0, 2 * np.pi, panes).astype(np.float32)
    along = np.cos(angles)[window.pane] * x + np.sin(angles)[window.pane] * y
    pulled = along + 10 * noise(random, height, width, 60 * FINE)
    light = 0.10 * np.sin(pulled / 9) + 0.07 * np.sin(pulled / 3.7)
    light += 0.16 * noise(random, height, width, 40 * FINE)
    return np.asarray(light + 0.05 * noise(random, height, width, 4 * FINE), np.float32)


def _lit(colors: Colors, light: Field) -> Colors:
    """Towards white where ``light`` is above 0, towards a deeper tone below."""
    light = light[..., np.newaxis]
    paler = colors + (255 - colors) * np.clip(light, 0, 1) * 0.9
    return np.asarray(paler * np.exp(np.minimum(light, 0) * (2.2 - colors / 160)), np.float32)
