"""Hills with cypresses and round trees under a ringed sun and curling clouds, by a reed pen."""

from __future__ import annotations

import numpy as np

from .fields import Field, Image, coordinates, noise, ramp, wiggle
from .hatching import SETS, Ground, contour, hatch, on_paper
from .ink import InkCanvas


def pen_hatching(height: int = 1024, width: int = 1280, seed: int = 0) -> Image:
    """The drawing, (height, width, 3); the same for the same seed."""
    random = np.random.default_rng(seed)
    ground = Ground(height, width)
    _sky(ground)
    _clouds(ground, random)
    _hills(ground, random)
    _cypresses(ground, random)
    sepia, sanguine = InkCanvas(height, width), InkCanvas(height, width)
    for hatching in SETS:
        hatch(ground, hatching, random, sepia, sanguine)
    for number, edge in ground.edges:
        contour(ground, number, edge, random, sepia)
    return on_paper(sepia.light(), sanguine.light(), random)


def _sky(ground: Ground) -> None:
    """Strokes in rings around the sun, darker and lighter like ripples."""
    height, width = ground.tone.shape
    x, y = coordinates(height, width)
    sun_x, sun_y, radius = 0.66 * width, 0.25 * height, 0.085 * height
    distance = np.hypot(x - sun_x, y - sun_y)
    around = np.arctan2(y - sun_y, x - sun_x) + np.pi / 2
    rings = np.cos(distance / height * 40)
    tone = 0.22 + 0.36 * ramp(distance, radius, 0.85 * height) + 0.15 * rings
    ground.put(distance >= 0, tone, around, length=64, red=0.06)
    ground.put(distance < 1.3 * radius, 0 * tone, around, length=20)
    ground.put(distance < radius, 0.34 + 0 * tone, around, length=40, red=1)


CLOUDS = (
    ((0.02, 0.34, 0.10), (0.13, 0.30, 0.12), (0.25, 0.345, 0.09), (0.34, 0.37, 0.06)),
    ((0.30, 0.10, 0.09), (0.40, 0.07, 0.10), (0.49, 0.115, 0.065), (0.22, 0.135, 0.06)),
    ((0.90, 0.33, 0.09), (1.0, 0.30, 0.11), (0.82, 0.36, 0.06)),
    ((0.87, 0.05, 0.07), (0.95, 0.07, 0.08), (1.02, 0.04, 0.07)),
)
"""Curls of each: x and y as shares of the sides, radius as a share of the height."""


def _clouds(ground: Ground, random: np.random.Generator) -> None:
    """Curls of strokes, bare at the top and dark beneath."""
    height, width = ground.tone.shape
    x, y = coordinates(height, width)
    rough = noise(random, height, width, 60)
    for cloud in CLOUDS:
        for across, down, size in cloud:
            away_x, away_y = x - across * width, y - down * height
            radius = size * height
            distance = np.hypot(away_x, away_y * 1.25)
            around = np.arctan2(away_y, away_x) + np.pi / 2 - 0.35
            inside = distance < radius * (1 + 0.06 * rough)
            tone = 0.26 + 0.42 * (away_y / radius) + 0.22 * np.cos(distance / radius * 9)
            ground.clear(inside)
            ground.put(inside, np.maximum(tone, 0.1), around, length=46, red=0.10)


def _hills(ground: Ground, random: np.random.Generator) -> None:
    """Ridge before ridge, far ones pale; strokes run down their slopes."""
    height, width = ground.tone.shape
    x, y = coordinates(height, width)
    levels = (0.45, 0.52, 0.60, 0.69, 0.79, 0.90)
    for index, level in enumerate(levels):
        near = index / (len(levels) - 1)
        tilt = (0.05, -0.09, 0.07, -0.06, 0.09, -0.05)[index] * (x[0] / width - 0.5)
        swell = (0.03 + 0.02 * near) * wiggle(random, width, width / (3.6 - 1.2 * near))
        ridge = height * (level + tilt + swell)
        slope = np.gradient(ridge)[np.newaxis, :]
        below = y - ridge[np.newaxis, :]
        folds = noise(random, height, width, height / 7)
        shade = 0.38 * (1 - ramp(below, 0, 0.07 * height)) + 0.26 * folds
        tone = 0.40 + 0.17 * near + np.clip(-0.9 * slope, -0.2, 0.25) + shade
        lean = (1.0, 0.3, -0.6, 0.45, -0.3, 0.75)[index]
        bend = 0.45 * folds + 0.6 * ramp(below, 0, 0.16 * height)
        direction = np.arctan(slope) + lean + bend
        number = ground.put(below > 0, np.maximum(tone, 0.2), direction, length=46 + 26 * near)
        ground.edge(number, np.stack([x[0], ridge], axis=1))
        _bushes(ground, random, ridge, near)


def _bushes(ground: Ground, random: np.random.Generator, ridge: Field, near: float) -> None:
    """A row of round trees along a ridge, each with its light side."""
    height, width = ground.tone.shape
    x, y = coordinates(height, width)
    at = random.uniform(0.02, 0.1) * width
    while at < width:
        size = (0.014 + 0.024 * near) * height * random.uniform(0.8, 1.25)
        foot = float(ridge[int(at)]) + random.uniform(0.2, 1.6) * size
        away_x, away_y = (x - at) / size, (y - foot) / (1.15 * size)
        inside = np.hypot(away_x, away_y) < 1
        around = np.arctan2(away_y, away_x) + np.pi / 2 + 0.5
        tone = 0.68 - 0.38 * away_x + 0.34 * away_y
        ground.clear(inside)
        ground.put(inside, np.maximum(tone, 0.1), around, length=26, crossing=0.6, red=0.2)
        at += size * random.choice([1.9, 2.1, 2.6, 9.0])


CYPRESSES = (
    (0.60, 0.66, 0.17, 0.014), (0.635, 0.665, 0.13, 0.012), (0.93, 0.83, 0.42, 0.030),
    (0.865, 0.86, 0.27, 0.024), (0.245, 0.92, 0.56, 0.040), (0.135, 0.97, 0.84, 0.056),
)  # fmt: skip
"""Of each: x and foot as shares of the sides, height as one of the height, half width of the
width."""


def _cypresses(ground: Ground, random: np.random.Generator) -> None:
    """Dark flames; strokes flicker upwards along them."""
    height, width = ground.tone.shape
    x, y = coordinates(height, width)
    for across, foot, tall, thick in CYPRESSES:
        share = (foot * height - y) / (tall * height)
        middle = across * width + 0.008 * width * np.sin(share * 5 + across * 40)
        side = (x - middle) / (thick * width)
        profile = np.clip(1 - share, 0, 1) ** 0.75 * (0.16 + 0.84 * ramp(share, 0.01, 0.16))
        ragged = profile * (1 + 0.24 * noise(random, height, width, 30))
        inside = (np.abs(side) < ragged) & (share > 0) & (share < 1)
        flame = 0.5 * np.sin(share * tall * 24 + 1.5 * side) - 0.3 * side
        tone = 0.86 + 0.2 * side + 0.24 * np.sin(share * tall * 44 + 4 * side)
        upwards = (flame - np.pi / 2).astype(np.float32)
        ground.clear(inside)
        ground.put(inside, np.maximum(tone, 0.58), upwards, length=44, crossing=0.4, red=0.12)
