"""Strips of an image: alike, and together the image."""

from __future__ import annotations

import itertools

import pytest

from vidstyle.models.openvino.strips import UNIT, Rows, strips_of


@pytest.mark.parametrize("tile", [1, 16, 100, 256, 512, 2048])
@pytest.mark.parametrize(
    ("height", "width"), [(2160, 3840), (1081, 1920), (133, 97), (40, 3), (4, 9000), (9000, 4)]
)
def test_strips_are_of_one_size_and_leave_out_nothing(height: int, width: int, tile: int) -> None:
    strips = strips_of(height, width, tile)
    units = -(-height // UNIT)
    assert len({len(strip) for strip in strips}) == 1
    assert strips[0].start == 0
    assert strips[-1].stop == units
    gaps = [after.start - before.stop for before, after in itertools.pairwise(strips)]
    assert set(gaps) <= {0, -1}
    if len(strips) > 1:
        assert UNIT * len(strips[0]) * width <= max(min(tile, 256) ** 2, 32 * width)


def test_an_image_no_larger_than_a_tile_is_one_strip() -> None:
    assert strips_of(1080, 1920, 2048) == strips_of(1080, 1920, None) == (Rows(0, 270),)
    assert len(strips_of(1080, 1920, 1024)) > 1


@pytest.mark.parametrize("smaller", [256, 512, 1024])
def test_a_smaller_tile_makes_no_larger_strips(smaller: int) -> None:
    sizes = [len(strips_of(2160, 3840, tile)[0]) for tile in (smaller, 2 * smaller)]
    assert sizes[0] <= sizes[1]
