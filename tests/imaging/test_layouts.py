"""Each layout, pixel for pixel, against numpy's own composition."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.labels import draw_label, label_margin, make_label
from vidstyle.imaging.layouts import (
    LAYOUTS,
    Layout,
    amplify_difference,
    layout_cells,
    line_width,
    split_images,
    tile_images,
)

RANDOM = np.random.default_rng(0)
HEIGHT, WIDTH = 60, 80
IMAGES = list(RANDOM.random((5, HEIGHT, WIDTH, 3), np.float32))
LABELS = [make_label(text, width=40, height=HEIGHT) for text in "abcde"]


@pytest.mark.parametrize(
    ("layout", "count", "wanted"),
    [
        ("side-by-side", 3, (3, 1)),
        ("stacked", 3, (1, 3)),
        *(("grid", count, cells) for count, cells in enumerate([(1, 1), (2, 1), (2, 2)], start=1)),
        ("grid", 4, (2, 2)),
        ("grid", 5, (3, 2)),
        ("grid", 7, (3, 3)),
        ("grid", 10, (4, 3)),
        ("split", 2, (1, 1)),
        ("difference", 2, (1, 1)),
    ],
)
def test_columns_and_rows(layout: Layout, count: int, wanted: tuple[int, int]) -> None:
    assert layout_cells(layout, count) == wanted


@pytest.mark.parametrize(("layout", "count"), [("split", 3), ("difference", 1), ("grid", 0)])
def test_layouts_refuse_other_numbers(layout: Layout, count: int) -> None:
    with pytest.raises(ValueError, match="image"):
        layout_cells(layout, count)


def test_there_is_no_other_layout() -> None:
    assert LAYOUTS == ("side-by-side", "stacked", "grid", "split", "difference")


def test_tiles_are_the_images() -> None:
    black = np.zeros_like(IMAGES[0])
    np.testing.assert_array_equal(tile_images(IMAGES[:3], 3, []), np.hstack(IMAGES[:3]))
    np.testing.assert_array_equal(tile_images(IMAGES[:3], 1, []), np.vstack(IMAGES[:3]))
    wanted = np.vstack([np.hstack(IMAGES[:3]), np.hstack([*IMAGES[3:], black])])
    np.testing.assert_array_equal(tile_images(IMAGES, 3, []), wanted)


def test_each_tile_has_its_label() -> None:
    copies = [image.copy() for image in IMAGES]
    for image, label in zip(copies, LABELS, strict=True):
        draw_label(image, label, left=label_margin(HEIGHT), top=label_margin(HEIGHT))
    found = tile_images(IMAGES, 3, LABELS)
    np.testing.assert_array_equal(found, tile_images(copies, 3, []))
    assert np.abs(found - tile_images(IMAGES, 3, [])).max() > 0.3


@pytest.mark.parametrize("position", [0.0, 0.3, 0.5, 1.0])
def test_a_split_shows_each_image_on_its_side(position: float) -> None:
    first, second = IMAGES[:2]
    found = split_images(first, second, position, [])
    column, half = round(position * WIDTH), line_width(WIDTH) // 2 + 1
    np.testing.assert_array_equal(
        found[:, : max(0, column - half)], first[:, : max(0, column - half)]
    )
    np.testing.assert_array_equal(found[:, column + half :], second[:, column + half :])
    if 0 < position < 1:
        assert (found[:, column - 1 : column + 1] == 1).all()
        assert (found[:, [column - half, column + half - 1]] == 0).all()
    else:
        np.testing.assert_array_equal(found, second if position == 0 else first)


@pytest.mark.parametrize("position", [0.1, 0.5, 0.95])
def test_labels_of_a_split_are_seen_where_their_image_is(position: float) -> None:
    margin = label_margin(HEIGHT)
    first, second = (image.copy() for image in IMAGES[:2])
    draw_label(first, LABELS[0], left=margin, top=margin)
    right = WIDTH - margin - LABELS[1].ink.shape[1]
    draw_label(second, LABELS[1], left=right, top=margin)
    found = split_images(*IMAGES[:2], position, LABELS[:2])
    np.testing.assert_array_equal(found, split_images(first, second, position, []))


def test_a_difference_is_absolute_and_amplified() -> None:
    first, second = IMAGES[:2]
    wanted = np.minimum(np.abs(first - second) * np.float32(2.5), 1)
    np.testing.assert_array_equal(amplify_difference(first, second, 2.5, []), wanted)
    np.testing.assert_array_equal(amplify_difference(second, first, 2.5, []), wanted)
    assert amplify_difference(first, first, 1000, []).max() == 0
    labelled = amplify_difference(first, second, 2.5, LABELS[:1])
    assert (labelled != wanted).any()


def test_images_are_not_changed() -> None:
    before: list[HostArray] = [image.copy() for image in IMAGES]
    tile_images(IMAGES, 2, LABELS)
    split_images(*IMAGES[:2], 0.5, LABELS[:2])
    amplify_difference(*IMAGES[:2], 4, LABELS[:1])
    np.testing.assert_array_equal(IMAGES, before)
