"""Stones follow the rows of their design, fill it, and have its colors."""

from __future__ import annotations

import numpy as np
import pytest

from samples.drawings.fields import coordinates
from samples.drawings.palette import plain
from samples.drawings.tesserae import GROUT, Design, Stone, lay, render

SIZE = 150
GOLD, BLUE = (220, 170, 60), (30, 60, 140)


@pytest.fixture
def level() -> Design:
    """Level rows of 15 pixels, gold above and blue below."""
    design = Design(SIZE, SIZE)
    _, y = coordinates(SIZE, SIZE)
    design.put(y >= 0, y, plain(GOLD), row=15)
    design.put(y >= 75, y, plain(BLUE), row=15)
    return design


def test_rows_lie_along_the_design_at_their_height(level: Design) -> None:
    stones = lay(level, np.random.default_rng(0))
    angles = np.array(
        [np.remainder(stone.angle + np.pi / 2, np.pi) - np.pi / 2 for stone in stones]
    )
    assert np.abs(angles).max() < 0.3
    assert np.std([stone.half_height for stone in stones]) < 1
    off_middle = [abs(stone.y % 15 - 7.5) for stone in stones]
    assert np.mean(np.array(off_middle) < 2.5) > 0.9


def test_rows_bend_around_a_center() -> None:
    design = Design(SIZE, SIZE)
    x, y = coordinates(SIZE, SIZE)
    design.put(x >= 0, np.hypot(x - 75, y - 75), plain(GOLD), row=12)
    outer = [s for s in lay(design, np.random.default_rng(0)) if np.hypot(s.x - 75, s.y - 75) > 20]
    outwards = [
        (np.cos(s.angle) * (s.x - 75) + np.sin(s.angle) * (s.y - 75)) / np.hypot(s.x - 75, s.y - 75)
        for s in outer
    ]
    assert len(outer) > 80
    assert np.abs(outwards).mean() < 0.1


def test_stones_cover_the_bed_and_leave_joints(level: Design) -> None:
    random = np.random.default_rng(0)
    image = render(level, lay(level, random), random).astype(np.float64)
    assert image.shape == (SIZE, SIZE, 3)
    grout = np.abs(image - plain(GROUT)).max(axis=2) < 25
    assert 0.1 < grout.mean() < 0.35


def test_stones_have_the_color_of_their_place_and_differ_a_little(level: Design) -> None:
    random = np.random.default_rng(0)
    stones = lay(level, random)
    image = render(level, stones, random).astype(np.float64)
    for color, rows in ((GOLD, (10, 65)), (BLUE, (85, 140))):
        inside = [s for s in stones if rows[0] < s.y < rows[1] and 5 < s.x < SIZE - 5]
        middles = np.array([image[int(s.y), int(s.x)] for s in inside])
        np.testing.assert_allclose(np.median(middles, axis=0), color, rtol=0.12)
        assert 0.04 < (middles.sum(axis=1) / sum(color)).std() < 0.25


def test_a_lone_stone_ends_at_its_size_in_the_grout() -> None:
    design = Design(SIZE, SIZE)
    design.colors[:] = GOLD
    stone = Stone(x=75, y=75, angle=0.5, half_length=14, half_height=8)
    image = render(design, [stone], np.random.default_rng(0)).astype(np.float64)
    bright = image[..., 0] > 140
    assert 0.7 * 28 * 16 < bright.sum() < 1.7 * 28 * 16
    assert bright[75, 75]
    y, x = np.nonzero(bright)
    assert abs(x.mean() - 75) < 1.5
    assert abs(y.mean() - 75) < 1.5
    _, _, axes = np.linalg.svd(np.stack([x - x.mean(), y - y.mean()], axis=1), full_matrices=False)
    assert abs(axes[0] @ [np.cos(0.5), np.sin(0.5)]) > 0.99
