"""Work in bands and planes equals work on whole images."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.bands import bands, repeat_plane, split_planes
from vidstyle.imaging.derived import double, reach_of, smooth

SIZES = [(64, 48), (62, 47), (63, 48), (2, 9), (1, 1)]


@pytest.fixture(autouse=True)
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidstyle.imaging.bands._PIXELS", 480)


def noise(*shape: int) -> HostArray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_every_row_lies_in_one_band_and_so_does_every_half_row(height: int, width: int) -> None:
    rows, half_rows = np.arange(height), np.arange((height + 1) // 2)
    found = list(bands(height, width))
    np.testing.assert_array_equal(np.concatenate([band.of(rows) for band in found]), rows)
    np.testing.assert_array_equal(np.concatenate([b.of_half(half_rows) for b in found]), half_rows)


def test_an_image_of_even_height_has_several_bands() -> None:
    assert len(list(bands(64, 48))) > 4


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_doubling_on_bands_has_no_seams(height: int, width: int) -> None:
    half = noise((height + 1) // 2, (width + 1) // 2, 3)
    parts = [band.double(half) for band in bands(height, width)]
    np.testing.assert_array_equal(np.concatenate(parts), double(half, height, width))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_filters_see_what_lies_around_their_band(height: int, width: int) -> None:
    image = noise(height, width)
    whole = smooth(image, 0.6)
    for band in bands(height, width):
        part = band.filter_rows(image, reach_of(0.6), lambda rows: smooth(rows, 0.6))
        np.testing.assert_array_equal(part, band.of(whole))


def test_a_reach_that_is_too_short_would_show() -> None:
    image = noise(64, 48)
    whole = smooth(image, 3.0)
    parts = [b.filter_rows(image, 2, lambda rows: smooth(rows, 3.0)) for b in bands(64, 48)]
    assert cv2.norm(np.concatenate(parts), whole, cv2.NORM_INF) > 1e-3


@pytest.mark.parametrize("shape", [(4, 6), (1, 6), (4, 1), (1, 1)])
def test_each_channel_is_the_plane(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).random(shape, dtype=np.float32)
    image = repeat_plane(plane)
    assert image.shape == (*shape, 3)
    for channel in range(3):
        np.testing.assert_array_equal(image[..., channel], plane)


def test_channels_are_copies_of_their_own() -> None:
    flow = np.random.default_rng(0).random((4, 6, 2), dtype=np.float32)
    flow.flags.writeable = False
    across, down = split_planes(flow)
    np.testing.assert_array_equal(np.dstack([across, down]), flow)
    across += 1
    np.testing.assert_array_equal(flow[..., 0] + 1, across)
