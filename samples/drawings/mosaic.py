"""A Byzantine mosaic: a gold sun in a lapis vault of stars, terracotta hills, a scaled sea."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .fields import Image, coordinates, noise, ramp, wiggle
from .palette import graded, plain
from .tesserae import Design, lay, render

INK = (22, 26, 52)
LAPIS = (26, 58, 136)
AZURE = (62, 122, 178)
TURQUOISE = (112, 182, 178)
CREAM = (238, 224, 188)
BRIGHT_GOLD = (244, 206, 104)
GOLD = (214, 160, 50)
OCHRE = (196, 136, 70)
TERRACOTTA = (188, 84, 46)
OXBLOOD = (116, 34, 30)
OLIVE = (116, 122, 58)
LEAF = (172, 172, 84)
CYPRESS = (38, 74, 54)


def mosaic(height: int = 1024, width: int = 1280, seed: int = 0) -> Image:
    """The mosaic, (height, width, 3); the same for the same seed."""
    random = np.random.default_rng(seed)
    design = Design(height, width)
    _vault(design, random)
    _hills(design, random)
    _tree(design)
    _sea(design)
    return render(design, lay(design, random), random)


SUN = (0.27, 0.29, 0.105)
"""x and y as shares of the sides, radius as a share of the height."""
STARS = (
    (0.05, 0.10, 0.062), (0.53, 0.09, 0.060), (0.60, 0.31, 0.066), (0.74, 0.14, 0.076),
    (0.91, 0.09, 0.056), (0.94, 0.29, 0.066), (0.50, 0.43, 0.050), (0.04, 0.40, 0.056),
)  # fmt: skip


def _vault(design: Design, random: np.random.Generator) -> None:
    """Rings of blue around the sun, its flames, and rosettes for stars."""
    height, width = design.row.shape
    x, y = coordinates(height, width)
    away_x, away_y = x - SUN[0] * width, y - SUN[1] * height
    radius = SUN[2] * height
    distance = np.hypot(away_x, away_y)
    clouded = distance / height + 0.05 * noise(random, height, width, height / 6)
    blues = graded(ramp(clouded, 0.2, 0.95), TURQUOISE, AZURE, LAPIS, LAPIS)
    rippled = 0.5 + 0.5 * np.cos(clouded * 2 * np.pi / 0.115)
    gilded = (rippled**9 * ramp(clouded, 0.3, 0.5))[..., np.newaxis]
    blues += (plain(BRIGHT_GOLD) - blues) * gilded + 26 * rippled[..., np.newaxis]
    design.put(distance >= 0, distance, blues, row=15)
    beat = 8 * np.arctan2(away_y, away_x)
    flames = radius * (1.5 + 0.8 * np.abs(np.cos(beat)) ** 1.5)
    design.put(distance < flames + 15, distance, plain(CREAM), row=13)
    heat = graded(distance / flames, TERRACOTTA, TERRACOTTA, TERRACOTTA, OXBLOOD)
    design.put(distance < flames, distance, heat, row=13)
    rings = graded(distance / (1.25 * radius), CREAM, BRIGHT_GOLD, BRIGHT_GOLD, GOLD, OXBLOOD)
    design.put(distance < 1.25 * radius, distance, rings, row=14)
    for across, down, size in STARS:
        _star(design, across * width, down * height, size * height)


def _star(design: Design, middle_x: float, middle_y: float, size: float) -> None:
    height, width = design.row.shape
    x, y = coordinates(height, width)
    distance = np.hypot(x - middle_x, y - middle_y)
    petals = size * (0.78 + 0.22 * np.cos(8 * np.arctan2(y - middle_y, x - middle_x)))
    design.put(distance < size * 1.25, size - distance, plain(LAPIS), row=10)
    gold = graded(distance / petals, TERRACOTTA, CREAM, BRIGHT_GOLD, GOLD)
    design.put(distance < petals, size - distance, gold, row=11)


def _hills(design: Design, random: np.random.Generator) -> None:
    """Bands of earth colors that follow the ridges."""
    height, width = design.row.shape
    x, y = coordinates(height, width)
    earths = ((OLIVE, CYPRESS), (GOLD, OCHRE), (TERRACOTTA, OXBLOOD), (OCHRE, TERRACOTTA))
    for index, (light, dark) in enumerate(earths):
        level = 0.50 + 0.075 * index
        tilt = (0.10, -0.10, 0.06, -0.04)[index] * (x[0] / width - 0.5)
        ridge = height * (level + tilt + 0.05 * wiggle(random, width, width / 3))
        steep = np.sqrt(1 + np.gradient(ridge) ** 2)
        below = (y - ridge) / steep
        bands = np.mod(below / (0.085 * height), 1)
        earth = graded(bands, CREAM, light, light, light, dark, dark)
        design.put(below > 0, below, earth, row=14)


def _sea(design: Design) -> None:
    """Scales, row before row, each with rings from foam to depth."""
    height, width = design.row.shape
    x, y = coordinates(height, width)
    radius = 0.088 * height
    seas = ((CREAM, TURQUOISE, AZURE, LAPIS, AZURE), (CREAM, AZURE, LAPIS, LAPIS, TURQUOISE))
    rows = int(0.34 * height / (0.62 * radius)) + 2
    for row in range(rows):
        middle_y = 0.83 * height + row * 0.62 * radius
        for column in range(-1, int(width / (1.9 * radius)) + 2):
            middle_x = (column + 0.5 * (row % 2)) * 1.9 * radius
            inside = radius - np.hypot(x - middle_x, y - middle_y)
            rings = graded(inside / radius * 1.15, *seas[(row + column) % 2])
            scale = (inside > 0) | ((np.abs(x - middle_x) < 0.2 * radius) & (y > middle_y))
            design.put(scale, inside, rings, row=12.5)


CROWN = (
    (0.73, 0.46, 0.080), (0.86, 0.45, 0.076), (0.68, 0.55, 0.066), (0.92, 0.54, 0.070),
    (0.79, 0.38, 0.084), (0.75, 0.565, 0.072), (0.85, 0.56, 0.070), (0.795, 0.49, 0.076),
)  # fmt: skip
"""Round masses of leaves: x and y as shares of the sides, radius as a share of the height."""


def _tree(design: Design) -> None:
    """A tree of round masses of leaves, with fruit, on a forked trunk."""
    height, width = design.row.shape
    x, y = coordinates(height, width)
    inside = cv2.distanceTransform(_trunk(height, width), cv2.DIST_L2, 5)
    bark = graded(inside / (0.022 * width), INK, OXBLOOD, OXBLOOD)
    design.put(inside > 0, inside, bark, row=11)
    for across, down, size in CROWN:
        away_x, away_y = x - across * width, y - down * height
        inside = size * height - np.hypot(away_x, away_y)
        lit = inside / (size * height) - 0.35 * (away_x + away_y) / (size * height)
        leaves = graded(lit, CYPRESS, CYPRESS, OLIVE, LEAF, BRIGHT_GOLD)
        leaves[inside < 12] = INK
        design.put(inside > 0, inside, leaves, row=12)
        fruit = 0.24 * size * height - np.hypot(away_x, away_y)
        reds = graded(fruit / 14, OXBLOOD, TERRACOTTA)
        design.put(fruit > 0, fruit, reds, row=10)


def _trunk(height: int, width: int) -> npt.NDArray[np.uint8]:
    """1 where the trunk and its three branches are."""
    trunk = np.zeros((height, width), np.uint8)
    foot, fork = (
        (round(0.79 * width), round(0.9 * height)),
        (round(0.79 * width), round(0.7 * height)),
    )
    cv2.line(trunk, foot, fork, 1, round(0.045 * width) + 1)
    for across in (0.70, 0.79, 0.88):
        tip = round(across * width), round(0.56 * height)
        cv2.line(trunk, fork, tip, 1, round(0.026 * width) + 1)
    return trunk
