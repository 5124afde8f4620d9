"""Fields are smooth, repeatable and of the size asked for."""

from __future__ import annotations

import numpy as np

from samples.drawings.fields import coordinates, noise, ramp, reduce, wiggle


def test_coordinates_count_columns_and_rows() -> None:
    x, y = coordinates(3, 5)
    assert (x[2, 4], y[2, 4]) == (4, 2)


def test_noise_stays_near_one_and_uses_its_range() -> None:
    field = noise(np.random.default_rng(0), 200, 300, 20)
    assert field.shape == (200, 300)
    assert (np.abs(field) <= 1).mean() > 0.9
    assert field.std() > 0.3


def test_noise_is_smoother_for_longer_periods() -> None:
    steps = [
        np.abs(np.diff(noise(np.random.default_rng(0), 200, 200, period))).mean()
        for period in (8, 16, 64)
    ]
    assert steps[0] > 1.6 * steps[1] > 4 * steps[2]


def test_noise_is_the_same_for_the_same_generator() -> None:
    first, again, other = (noise(np.random.default_rng(s), 40, 50, 9) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_wiggle_is_a_line_of_noise() -> None:
    line = wiggle(np.random.default_rng(0), 500, 50)
    assert line.shape == (500,)
    assert np.abs(np.diff(line)).max() < 0.2 < line.std()


def test_a_ramp_rises_either_way_and_stays_level_outside() -> None:
    values = [-1, 0, 5, 10, 11]
    np.testing.assert_allclose(ramp(values, 0, 10), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(ramp(values, 10, 0), [1, 1, 0.5, 0, 0])


def test_reducing_takes_the_mean_of_each_square() -> None:
    large = np.random.default_rng(0).integers(0, 256, (12, 18, 3), np.uint8)
    means = large.astype(np.float64).reshape(4, 3, 6, 3, 3).mean(axis=(1, 3))
    assert np.abs(reduce(large, 3) - means).max() <= 0.5 + 1e-6
