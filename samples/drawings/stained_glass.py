"""A window: sunrise over a lake between mountains, poppies on winding stems in front."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from .fields import Image, coordinates, noise, wiggle
from .glazing import FINE, Points, Window, facets, render
from .palette import Color, Colors, any_of, graded, plain

Doubles = npt.NDArray[np.float64]

DAWN = (
    (255, 238, 150), (255, 196, 66), (250, 140, 56),
    (226, 92, 96), (150, 84, 158), (62, 92, 184),
)  # fmt: skip
DAWN_AT = (0.1, 0.2, 0.3, 0.42, 0.58, 0.78)
"""How far from the sun each color of the dawn is, as a share of the height."""
MOUNTAINS = ((104, 96, 190), (70, 70, 164), (136, 110, 196), (52, 54, 132))
NEAR_MOUNTAINS = ((34, 96, 128), (28, 74, 112), (44, 124, 136), (60, 66, 130))
LAKE = ((46, 160, 196), (30, 112, 184), (96, 200, 206), (22, 84, 160))
MEADOW = ((66, 150, 62), (34, 110, 60), (124, 180, 58), (24, 84, 64), (170, 196, 74))
POPPY = ((226, 30, 36), (244, 70, 34), (190, 16, 44), (250, 112, 48))
STEM = ((54, 134, 58), (30, 104, 62), (96, 164, 62))


def stained_glass(height: int = 1024, width: int = 1280, seed: int = 0) -> Image:
    """The window, (height, width, 3); the same for the same seed."""
    random = np.random.default_rng(seed)
    window = Window(height, width)
    _dawn(window, random)
    _mountains(window, random)
    _lake(window, random)
    _meadow(window, random)
    for plant in PLANTS:
        _plant(window, random, plant)
    return render(window, random)


SUN = (0.56, 0.40, 0.10)
"""x and y as shares of the sides, radius as a share of the height."""


def _dawn(window: Window, random: np.random.Generator) -> None:
    """Rays cut across by waving bands, from yellow to blue, around the sun's own panes."""
    rows, columns = window.pane.shape
    x, y = (axis / FINE for axis in coordinates(rows, columns))
    away_x, away_y = x - SUN[0] * window.width, y - SUN[1] * window.height
    distance = np.hypot(away_x, away_y) / window.height
    waves = noise(random, rows, columns, FINE * window.height / 5)
    waved = distance + 0.035 * waves
    ray = np.floor((np.arctan2(away_y, away_x) / np.pi + 1) * 21).astype(np.int32)
    ring = np.floor((waved + 0.035 * (ray % 2)) / 0.105).astype(np.int32)

    def color(middles: Points) -> Colors:
        aspect = np.array([window.width / window.height, 1])
        far = np.hypot(*((middles - np.array(SUN[:2])) * aspect).T)
        places = np.interp(far + random.normal(0, 0.03, far.shape), DAWN_AT, np.linspace(0, 1, 6))
        return graded(places, *DAWN)

    window.glaze(distance >= 0, ring * 64 + ray, color)
    disc = distance < SUN[2]
    core = (distance > 0.6 * SUN[2]) * (1 + ray // 7)
    window.glaze(disc, core, lambda middles: np.tile(plain(DAWN[0]), (len(middles), 1)))


def _ridge(window: Window, random: np.random.Generator, level: float, swell: float) -> Doubles:
    """Height of a ridge in pixels, for each column of the canvas."""
    length = window.width * FINE
    broad = wiggle(random, length, length / 3.2)
    return np.asarray(
        window.height * (level + swell * (broad + 0.35 * wiggle(random, length, length / 9)))
    )


def _mountains(window: Window, random: np.random.Generator) -> None:
    _, y = coordinates(*window.pane.shape)
    for level, swell, palette in ((0.40, 0.11, MOUNTAINS), (0.50, 0.07, NEAR_MOUNTAINS)):
        where = y / FINE > _ridge(window, random, level, swell)[np.newaxis, :]
        cells = facets(random, window.height, window.width, 68, 50)
        window.glaze(where, cells, partial(_facet, random, palette))


def _facet(random: np.random.Generator, palette: tuple[Color, ...], middles: Points) -> Colors:
    return any_of(random, palette, len(middles))


def _lake(window: Window, random: np.random.Generator) -> None:
    """Long level panes; those below the sun hold its light."""
    _, y = coordinates(*window.pane.shape)
    cells = facets(random, window.height, window.width, 120, 27)

    def color(middles: Points) -> Colors:
        water = any_of(random, LAKE, len(middles))
        off = np.abs(middles[:, 0] - SUN[0]) / 0.10
        fire = any_of(random, DAWN[1:4], len(middles))
        share = np.where(random.uniform(0, 1, len(off)) < np.exp(-(off**2)), 0.95, 0.0)
        return np.asarray(water + (fire - water) * share[:, np.newaxis], np.float32)

    window.glaze(y / FINE > 0.56 * window.height, cells, color)


def _meadow(window: Window, random: np.random.Generator) -> None:
    """Banks of grass, in panes that stand upright."""
    _, y = coordinates(*window.pane.shape)
    for level in (0.80, 0.90):
        where = y / FINE > _ridge(window, random, level, 0.05)[np.newaxis, :]
        cells = facets(random, window.height, window.width, 34, 96)
        window.glaze(where, cells, partial(_facet, random, MEADOW))


PLANTS = (
    (0.10, 0.30, 0.105, -0.9), (0.24, 0.56, 0.088, 0.7), (0.93, 0.42, 0.110, 0.9),
    (0.79, 0.64, 0.085, -0.8), (0.43, 0.74, 0.075, 0.6), (0.04, 0.66, 0.070, -0.5),
    (0.63, 0.80, 0.062, 0.8),
)  # fmt: skip
"""Of each: the flower's x and y as shares of the sides, its radius as one of the height, bend."""


def _plant(
    window: Window, random: np.random.Generator, plant: tuple[float, float, float, float]
) -> None:
    across, down, size, bend = plant
    x, y, radius = across * window.width, down * window.height, size * window.height
    share = np.linspace(0, 1, 60)
    tall = 1.05 * window.height - y
    stem_x = x + 0.10 * tall * bend * np.sin(share * 4.0) + 0.05 * tall * bend * share
    stem = np.stack([stem_x, y + share * tall], axis=1)
    _ribbon(window, stem, np.full(60, 17.0), any_of(random, STEM, 1))
    for at in (16, 26, 36, 46):
        side = 1 if at % 20 == 6 else -1
        _leaf(
            window,
            random,
            stem[at],
            side,
            min(0.36 * tall, 0.17 * window.height) * random.uniform(0.8, 1.1),
        )
    _poppy(window, random, x, y, radius)


def _ribbon(window: Window, line: Doubles, widths: Doubles, color: Colors) -> None:
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    off = np.stack([-along[:, 1], along[:, 0]], axis=1) * widths[:, np.newaxis] / 2
    window.shape(np.concatenate([line + off, (line - off)[::-1]]).astype(np.float32), color)


def _leaf(
    window: Window, random: np.random.Generator, foot: Doubles, side: int, length: float
) -> None:
    """A curved blade in two panes, one on each side of its rib."""
    share = np.linspace(0, 1, 24)
    rib_x = foot[0] + side * length * (0.85 * share - 0.25 * share**3)
    rib = np.stack([rib_x, foot[1] - length * (1.1 * share - 0.75 * share**2)], axis=1)
    swell = 0.19 * length * np.sin(np.pi * share**0.8)
    for half in (-1, 1):
        off = np.stack([np.zeros(24), half * swell], axis=1)
        outline = np.concatenate([rib, (rib + off)[::-1]]).astype(np.float32)
        window.shape(outline, any_of(random, STEM + MEADOW, 1))


def _poppy(window: Window, random: np.random.Generator, x: float, y: float, radius: float) -> None:
    """Two whorls of petals, a dark heart with a gold middle."""
    start = random.uniform(0, np.pi)
    for petals, reach, wide in ((5, 1.0, 0.74), (4, 0.62, 0.62)):
        for petal in range(petals):
            angle = start + petal * 2 * np.pi / petals + random.normal(0, 0.08)
            outline = _petal(random, angle, reach * radius, wide * reach * radius)
            window.shape(outline + np.array([x, y], np.float32), any_of(random, POPPY, 1))
        start += 0.6
    turn = np.linspace(0, 2 * np.pi, 40)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for size, color in ((0.27, (64, 26, 84)), (0.13, (255, 214, 70))):
        window.shape((circle * size * radius + (x, y)).astype(np.float32), plain(color))


def _petal(random: np.random.Generator, angle: float, length: float, width: float) -> Points:
    """A petal from the origin outwards, with a waving rim."""
    turn = np.linspace(-np.pi, np.pi, 60)
    along = (
        length * (0.5 + 0.5 * np.cos(turn)) * (1 + 0.05 * np.cos(5 * turn + random.uniform(0, 6)))
    )
    across = width * np.sin(turn) * (0.62 + 0.38 * np.cos(turn))
    cosine, sine = np.cos(angle), np.sin(angle)
    outline = np.stack([along * cosine - across * sine, along * sine + across * cosine], axis=1)
    return np.asarray(outline, np.float32)
