"""Colors between colors."""

from __future__ import annotations

import numpy as np

from samples.drawings.palette import any_of, graded, plain

RED, GREEN, BLUE = (200, 0, 0), (0, 100, 0), (0, 0, 50)


def test_a_gradient_passes_through_its_colors_and_stays_at_its_ends() -> None:
    shares = np.array([[-1, 0, 0.25], [0.5, 1, 2]])
    wanted = [[RED, RED, (100, 50, 0)], [GREEN, BLUE, BLUE]]
    np.testing.assert_allclose(graded(shares, RED, GREEN, BLUE), wanted)


def test_glass_from_the_shelf_is_at_most_half_way_to_another_color() -> None:
    found = any_of(np.random.default_rng(0), (RED, GREEN), 200)
    share = found[:, 0] / 200
    np.testing.assert_allclose(found[:, 1], 100 * (1 - share), atol=1e-3)
    assert {bool(value) for value in share > 0.5} == {True, False}
    assert len(np.unique(share)) > 50


def test_a_plain_color_is_three_numbers() -> None:
    np.testing.assert_array_equal(plain(BLUE), np.array([0, 0, 50], np.float32))
