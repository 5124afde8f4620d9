"""Lines follow their field, keep their distance, and stop where they should."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from samples.drawings.fields import coordinates
from samples.drawings.streamlines import STEP, Growth, Line, shuffled_seeds, streamlines

SIZE = 160


def grown(
    direction: npt.ArrayLike = 0.0,
    spacing: npt.ArrayLike = 10.0,
    region: npt.ArrayLike = 0,
    longest: float = 60,
) -> list[Line]:
    shape = (SIZE, SIZE)
    growth = Growth(
        direction=np.array(np.broadcast_to(direction, shape), np.float32),
        spacing=np.array(np.broadcast_to(spacing, shape), np.float32),
        region=np.array(np.broadcast_to(region, shape), np.int32),
        shortest=8,
        longest=np.full(shape, longest, np.float32),
    )
    return list(streamlines(growth, shuffled_seeds(np.random.default_rng(0), SIZE, SIZE, 3)))


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_a_line_runs_along_its_direction(angle: float) -> None:
    for line in grown(angle):
        steps = np.diff(line, axis=0) @ [np.cos(angle), np.sin(angle)]
        np.testing.assert_allclose(steps, STEP, atol=1e-3)


def test_lines_fill_the_image_at_their_distance() -> None:
    lines = grown(0.3, 8.0)
    points = np.concatenate(lines)
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    gaps[owner[:, None] == owner[None]] = np.inf
    assert gaps.min() > 0.5 * 8
    y, x = np.mgrid[10:150:7, 10:150:7]
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    assert np.linalg.norm(places[:, None] - points[None], axis=2).min(axis=1).max() < 2 * 8


def test_lines_lie_closer_where_spacing_is_smaller() -> None:
    x, _ = coordinates(SIZE, SIZE)
    points = np.concatenate(grown(np.pi / 2, np.where(x < SIZE / 2, 6.0, 14.0)))
    left = (points[:, 0] < SIZE / 2).sum()
    assert left > 1.8 * (len(points) - left)


def test_a_line_is_no_longer_and_no_shorter_than_asked() -> None:
    lengths = [(len(line) - 1) * STEP for line in grown(longest=40)]
    assert 8 <= min(lengths) <= max(lengths) <= 40
    assert max(lengths) > 30


def test_a_line_never_leaves_its_region() -> None:
    x, _ = coordinates(SIZE, SIZE)
    region = (x > 70).astype(np.int32)
    for line in grown(0.2, region=region):
        inside = region[line[:, 1].astype(int), line[:, 0].astype(int)]
        assert len(set(inside.tolist())) == 1


def test_no_line_enters_where_spacing_is_nothing() -> None:
    x, _ = coordinates(SIZE, SIZE)
    points = np.concatenate(grown(0.2, np.where(x < 50, 0.0, 8.0)))
    assert points[:, 0].min() >= 50


def test_a_ring_is_walked_once() -> None:
    x, y = coordinates(SIZE, SIZE)
    around = np.arctan2(y - 80, x - 80) + np.pi / 2
    lines = grown(around, 10.0, longest=2000)
    assert len(lines) > 4
    for line in lines:
        radius = np.hypot(*(line - 80).T).mean()
        assert (len(line) - 1) * STEP < 2 * np.pi * radius + 6 * STEP


def test_seeds_are_each_point_of_the_grid_once() -> None:
    seeds = shuffled_seeds(np.random.default_rng(0), 7, 10, 3)
    assert sorted(seeds) == [(x, y) for x in (0, 3, 6, 9) for y in (0, 3, 6)]
    assert seeds != sorted(seeds)
