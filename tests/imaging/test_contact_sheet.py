"""Images stand in rows and columns, unchanged, and words stand by their images."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.imaging.contact_sheet import (
    SHEET_WIDTH,
    Image,
    SheetRow,
    columns_within,
    contact_sheet,
    wrap_row,
)


def noise(seed: int, height: int = 40, width: int = 120) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def found(sheet: Image, image: Image) -> tuple[int, int]:
    """Row and column of the one place where the image stands, pixel for pixel."""
    difference = cv2.matchTemplate(sheet, image, cv2.TM_SQDIFF)
    row, column = np.unravel_index(difference.argmin(), difference.shape)
    height, width = image.shape[:2]
    np.testing.assert_array_equal(sheet[row : row + height, column : column + width], image)
    return int(row), int(column)


def ink(sheet: Image, *, above: int) -> np.ndarray:
    """Columns that have ink in the rows above a row."""
    paper = sheet[0, 0]
    return np.flatnonzero((sheet[:above] != paper).any(axis=(0, 2)))


def test_images_stand_in_rows_and_columns_unchanged() -> None:
    images = [noise(seed) for seed in range(6)]
    rows = [SheetRow("first", tuple(images[:3])), SheetRow("second", tuple(images[3:]))]
    sheet = contact_sheet(rows, ["a", "b", "c"])
    places = [found(sheet, image) for image in images]
    assert len({row for row, _ in places[:3]}) == len({row for row, _ in places[3:]}) == 1
    assert places[3][0] >= places[0][0] + 40
    for upper, lower in zip(places[:3], places[3:], strict=True):
        assert upper[1] == lower[1]
    assert places[1][1] - places[0][1] == places[2][1] - places[1][1] > 120


def test_images_of_several_sizes_stand_in_the_middle_of_their_column() -> None:
    wide, tall = noise(0, 60, 200), noise(1, 200, 100)
    sheet = contact_sheet([SheetRow("", (wide,)), SheetRow("", (tall,))], ["x"])
    assert found(sheet, tall)[1] == found(sheet, wide)[1] + 50


def test_all_around_is_light_and_empty() -> None:
    sheet = contact_sheet([SheetRow("caption", (noise(0), noise(1)))], ["a", "b"])
    paper = sheet[0, 0]
    assert paper.min() > 240
    for edge in (sheet[:20], sheet[-8:], sheet[:, :20], sheet[:, -20:]):
        assert (edge == paper).all()


def test_a_free_place_stays_empty() -> None:
    full = contact_sheet([SheetRow("", (noise(0), noise(1)))], ["a", "b"])
    free = contact_sheet([SheetRow("", (noise(0), None))], ["a", "b"])
    row, column = found(full, noise(1))
    position = free[row : row + 40, column : column + 96]
    assert (position == free[0, 0]).all()


def test_titles_stand_above_the_middle_of_their_columns() -> None:
    images = (noise(0, width=300), noise(1, width=300))
    sheet = contact_sheet([SheetRow("", images)], ["left", "right"])
    for image, others in zip(images, ("right", "left"), strict=True):
        row, column = found(sheet, image)
        columns = ink(sheet, above=row)
        own = columns[(columns >= column) & (columns < column + 300)]
        assert own.size, others
        assert abs((own[0] + own[-1]) / 2 - (column + 150)) <= 3


def test_other_words_are_other_pixels() -> None:
    def sheet(title: str, caption: str) -> bytes:
        return contact_sheet([SheetRow(caption, (noise(0),))], [title]).tobytes()

    assert len({sheet("a", "b"), sheet("a", "c"), sheet("d", "b")}) == 3


def test_text_that_is_too_wide_ends_within_its_column() -> None:
    long = "a-name-that-goes-on-and-on-and-on " * 10
    images = (noise(0), noise(1))
    sheet = contact_sheet([SheetRow(long, images)], [f"{long}\n{long}", ""])
    row, column = found(sheet, images[0])
    for strip in (sheet[:row], sheet[row + 40 :]):
        columns = ink(strip, above=len(strip))
        assert columns[0] >= column
        assert columns[-1] < column + 120
        # As much as fits is shown.
        assert columns[-1] - columns[0] > 100


def test_text_that_is_cut_ends_in_dots() -> None:
    sheet = contact_sheet([SheetRow("", (noise(0),))], ["M" * 100])
    head = sheet[: found(sheet, noise(0))[0]]
    inked = (head != sheet[0, 0]).any(axis=2)
    last = int(np.flatnonzero(inked.any(axis=0))[-1])
    capitals, dots = (
        np.ptp(np.flatnonzero(part.any(axis=1))) for part in (inked, inked[:, last - 6 :])
    )
    assert dots <= 3 < capitals


def test_letters_have_soft_edges() -> None:
    sheet = contact_sheet([SheetRow("", (noise(0),))], ["great-wave"])
    letters = sheet[: found(sheet, noise(0))[0], :, 0]
    assert letters.min() < 80
    assert len(np.unique(letters)) > 20


@pytest.mark.parametrize("title", ["", "\n", "é 日本", "tab\tand\x1bescape", "bad\udcffname"])
def test_any_title_is_drawn_without_an_error(title: str) -> None:
    assert contact_sheet([SheetRow(title, (noise(0),))], [title]).dtype == np.uint8


def test_the_images_are_left_as_they_are() -> None:
    image = noise(0)
    contact_sheet([SheetRow("x", (image,))], ["y"])
    np.testing.assert_array_equal(image, noise(0))


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="second: 1 images, 2 titles"):
        contact_sheet([SheetRow("second", (noise(0),))], ["a", "b"])


def test_nothing_to_show_is_refused() -> None:
    with pytest.raises(ValueError, match="a row and a column at least"):
        contact_sheet([], ["a"])


def test_a_gray_image_is_refused() -> None:
    gray = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match=r"\(H, W, 3\), got \(4, 4\)"):
        contact_sheet([SheetRow("", (gray,))], ["a"])


@pytest.mark.parametrize("width", [10, 96, 200, 384, 640, 900, 1872])
def test_as_many_columns_as_a_screen_shows(width: int) -> None:
    columns = columns_within(width)
    image = noise(0, 8, width)

    def sheet(count: int) -> Image:
        return contact_sheet([SheetRow("", (image,) * count)], [""] * count)

    assert sheet(columns).shape[1] <= SHEET_WIDTH < sheet(columns + 1).shape[1]


def test_a_wide_image_has_a_column_all_the_same() -> None:
    assert columns_within(4000) == 1


def test_a_row_that_is_wrapped_keeps_order_and_labels() -> None:
    images = [noise(number) for number in range(5)]
    rows = wrap_row(images, list("abcde"), 2)
    assert [row.labels for row in rows] == [("a", "b"), ("c", "d"), ("e", "")]
    assert rows[2].images[1] is None
    sheet = contact_sheet(rows, ["", ""])
    places = [found(sheet, image) for image in images]
    assert places == sorted(places)
