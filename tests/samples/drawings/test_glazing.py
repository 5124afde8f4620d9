"""Panes have their color, and lead runs between them."""

from __future__ import annotations

import numpy as np
import pytest

from samples.drawings.fields import coordinates
from samples.drawings.glazing import FINE, Points, Window, facets, render
from samples.drawings.palette import Colors, plain

SIZE = 120
RED, BLUE = (220, 40, 40), (40, 60, 200)


def by_side(middles: Points) -> Colors:
    return np.where(middles[:, :1] < 0.5, plain(RED), plain(BLUE)).astype(np.float32)


@pytest.fixture
def halves() -> Window:
    """One thing in two panes, side by side."""
    window = Window(SIZE, SIZE)
    x, _ = coordinates(*window.pane.shape)
    window.glaze(x >= 0, (x >= SIZE * FINE / 2).astype(np.int32) * 7, by_side)
    return window


def test_each_number_is_a_pane_with_the_color_of_its_middle(halves: Window) -> None:
    colors = np.concatenate(halves.colors)
    assert len(colors) == 2
    np.testing.assert_array_equal(colors[halves.pane[5, 5]], RED)
    np.testing.assert_array_equal(colors[halves.pane[5, -5]], BLUE)


def test_a_shape_is_a_pane_in_front(halves: Window) -> None:
    square = np.array([[20, 20], [99, 20], [99, 99], [20, 99]], np.float32)
    halves.shape(square, plain((10, 200, 10)))
    assert len(np.unique(halves.pane)) == 3
    front = halves.pane == halves.pane[SIZE, SIZE]
    assert front.sum() == pytest.approx(80 * 80 * FINE**2, rel=0.05)
    assert len(np.unique(halves.thing)) == 2


def test_light_comes_through_in_the_panes_color_and_lead_is_dark(halves: Window) -> None:
    image = render(halves, np.random.default_rng(0)).astype(np.float64)
    assert image.shape == (SIZE, SIZE, 3)
    left, right = (
        image[20:100, 15:50].mean(axis=(0, 1)),
        image[20:100, 70:105].mean(axis=(0, 1)),
    )
    assert left[0] > 2 * left[2]
    assert right[2] > 2 * right[0]
    lead = image[:, SIZE // 2 - 1 : SIZE // 2 + 1]
    assert lead.max() < 80
    dark = (image[60].max(axis=1) < 80).sum()
    assert 3 <= dark <= 7


def test_lead_is_broader_around_a_thing_than_within_it(halves: Window) -> None:
    square = np.array([[-5, 60], [130, 60], [130, 130], [-5, 130]], np.float32)
    halves.shape(square, plain(RED))
    dark = render(halves, np.random.default_rng(0)).max(axis=2) < 80
    assert dark[:, 25].sum() > dark[20].sum() + 1


def test_facets_have_about_the_size_asked_for() -> None:
    cells = facets(np.random.default_rng(0), 300, 400, across=50, down=30)
    assert cells.shape == (300 * FINE, 400 * FINE)
    wanted = 300 * 400 / (50 * 30)
    assert wanted / 1.6 < len(np.unique(cells)) < 1.6 * wanted
