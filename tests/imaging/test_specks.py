"""Specks stand alone; lines, edges and texture do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.specks import specks


def canvas() -> HostArray:
    return np.full((31, 37, 3), 0.5, np.float32)


def all_of(image: HostArray) -> np.ndarray:
    return np.ones(image.shape[:2], np.bool_)


def test_nothing_comes_of_no_outliers() -> None:
    image = canvas()
    image[10, 10] = 1
    assert not specks(image, np.zeros((31, 37), np.bool_)).any()


def test_a_speck_is_found_with_what_is_of_one_piece_with_it() -> None:
    image, outliers = canvas(), np.zeros((31, 37), np.bool_)
    image[10:12, 10:13] = 1
    outliers[10, 11] = True
    found = specks(image, outliers)
    assert found[10:12, 10:13].all()
    assert found.sum() == 6


def test_one_channel_is_enough() -> None:
    image = canvas()
    image[10, 10, 2] = 0.9
    assert np.argwhere(specks(image, all_of(image))).tolist() == [[10, 10]]


@pytest.mark.parametrize(
    ("first", "last"),
    [((15, 2), (15, 30)), ((3, 18), (27, 18)), ((3, 3), (27, 27)), ((4, 9), (20, 30))],
)
def test_lines_in_any_direction_are_spared(first: tuple[int, int], last: tuple[int, int]) -> None:
    image = canvas()
    cv2.line(image, first[::-1], last[::-1], (0, 0, 0), 1)
    assert not specks(image, all_of(image)).any()


def test_edges_and_corners_of_areas_are_spared() -> None:
    image = canvas()
    image[8:20, 8:20] = 0
    image[:5, 25:] = 1
    assert not specks(image, all_of(image)).any()


def test_what_fades_out_is_spared() -> None:
    image = canvas()
    rows, columns = np.mgrid[:31, :37]
    far = (rows - 15) ** 2 + (columns - 18) ** 2
    image += 0.4 * np.exp(-far / (2 * 2**2)).astype(np.float32)[..., np.newaxis]
    assert image[15, 18, 0] == pytest.approx(0.9)
    assert not specks(image, all_of(image)).any()


def test_what_is_as_sharp_as_all_around_it_is_texture() -> None:
    image = np.random.default_rng(0).integers(0, 2, (31, 37, 3)).astype(np.float32)
    assert not specks(image, all_of(image)).any()


@pytest.mark.parametrize(("y", "x"), [(0, 0), (30, 36), (0, 20), (12, 36)])
def test_the_edge_of_the_image_hides_none(y: int, x: int) -> None:
    image = canvas()
    image[y, x] = 0
    assert np.argwhere(specks(image, all_of(image))).tolist() == [[y, x]]
