"""Sheets fit a screen, and show each image with its label."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.report.preview_sheet import LabeledImage, preview_sheet


@pytest.mark.parametrize(
    ("size", "count"), [((360, 640), 6), ((1080, 1920), 9), ((1920, 1080), 5), ((64, 48), 1)]
)
def test_sheets_are_at_most_as_wide_as_a_screen(size: tuple[int, int], count: int) -> None:
    images = [
        LabeledImage(f"0:0{number}.0", np.full((*size, 3), 25 * number, np.uint8))
        for number in range(count)
    ]
    sheet = preview_sheet(images, "clip.mp4: temporal")
    assert sheet.shape[1] <= 1920
    found = {int(level) for level in np.unique(sheet[..., 0])}
    assert {25 * number for number in range(count)} <= found


def test_no_image_is_enlarged_and_others_keep_their_shape() -> None:
    wide = LabeledImage("wide", np.full((60, 100, 3), 10, np.uint8))
    high = LabeledImage("high", np.full((100, 60, 3), 30, np.uint8))
    sheet = preview_sheet([wide, high], "photos")
    first, second = (np.argwhere((sheet == level).all(axis=2)) for level in (10, 30))
    assert tuple(np.ptp(first, axis=0) + 1) == (60, 100)
    assert tuple(np.ptp(second, axis=0) + 1) == (60, 36)


def test_the_title_has_the_width_of_the_sheet() -> None:
    images = [LabeledImage("x", np.full((60, 100, 3), 10, np.uint8)) for _ in range(4)]
    title = "a clip with a long name.mp4"
    head = preview_sheet(images, title)[:46].min(axis=(0, 2))
    inked = np.flatnonzero(head < 200)
    # One column is 100 wide.
    assert inked[-1] - inked[0] > 150
    assert not np.array_equal(preview_sheet(images, title), preview_sheet(images, f"{title}."))
