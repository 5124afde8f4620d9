"""Repaired images: what is known comes back, no edge shows, and the rest keeps its bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.dead_pixels import find_dead
from vidstyle.imaging.repair import repair

HEIGHT, WIDTH = 96, 112


def ramp() -> HostArray:
    """Colors that change evenly."""
    across = np.linspace(0.2, 0.7, WIDTH, dtype=np.float32)
    down = np.linspace(0, 0.2, HEIGHT, dtype=np.float32)[:, np.newaxis]
    return np.stack([across + down, across - down + 0.05, 0.9 - across - down], 2)


def gray(value: float = 0.5) -> HostArray:
    return np.full((HEIGHT, WIDTH, 3), value, np.float32)


def textured() -> HostArray:
    random = np.random.default_rng(0).random((HEIGHT, WIDTH, 3), np.float32)
    soft = cv2.GaussianBlur(random, (0, 0), 3) - 0.5
    return np.asarray(np.clip(0.5 + soft * (0.15 / soft.std()), 0, 1), np.float32)


def disc(radius: int = 10) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (56, 48), radius, 1, -1)
    return mask.astype(np.bool_)


def repaired(image: HostArray, source: HostArray) -> HostArray:
    return repair(image, find_dead(image, source), source)


def test_a_clean_image_is_given_back_itself() -> None:
    image = textured()
    assert repair(image, find_dead(image, gray()), gray()) is image


def test_a_dead_pixel_becomes_the_median_of_its_good_neighbors() -> None:
    image = textured()
    image[30, 40] = (1, 0, 1)
    image[31, 41] = (0, 1, 0)
    result = repaired(image, gray())
    around = image[28:33, 38:43].reshape(-1, 3).astype(np.float64)
    good = np.delete(around, [2 * 5 + 2, 3 * 5 + 3], axis=0)
    np.testing.assert_allclose(result[30, 40], np.median(good, axis=0), atol=1e-6)


def test_all_else_keeps_its_bits() -> None:
    image = textured()
    image[30, 40] = 1
    image[disc()] = 1
    result = repaired(image, gray())
    reach = cv2.dilate(disc().view(np.uint8), np.ones((9, 9), np.uint8)).astype(np.bool_)
    reach[30, 40] = True
    np.testing.assert_array_equal(result[~reach], image[~reach])
    assert (result[disc()] < 0.99).all()


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_an_even_ramp_comes_back_from_under_a_blob(value: float) -> None:
    image = ramp()
    image[disc()] = value
    np.testing.assert_allclose(repaired(image, gray()), ramp(), atol=0.02)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_no_edge_is_left_around_a_blob(value: float) -> None:
    image = textured()
    steepest = max(np.abs(np.diff(image, axis=axis)).max() for axis in (0, 1))
    image[disc()] = value
    result = repaired(image, gray())
    assert max(np.abs(np.diff(result, axis=axis)).max() for axis in (0, 1)) < 1.2 * steepest


def test_a_fill_follows_the_light_and_dark_of_the_source() -> None:
    source = gray()
    source[:, ::8] += 0.2
    source = np.asarray(cv2.GaussianBlur(source, (0, 0), 1.2), np.float32)
    clean = 0.2 + 0.5 * source * np.array([1, 0.8, 0.6], np.float32)
    image = clean.copy()
    image[disc()] = 1
    inside = cv2.erode(disc().view(np.uint8), np.ones((5, 5))).astype(np.bool_)
    result = repaired(image, source)
    kept = np.corrcoef(result[inside].ravel(), clean[inside].ravel())[0, 1]
    assert kept > 0.95
    np.testing.assert_allclose(result, clean, atol=0.04)
    even = repaired(image, gray())
    assert np.abs(even - clean)[inside].mean() > 2 * np.abs(result - clean)[inside].mean()


def test_a_repaired_image_has_nothing_dead() -> None:
    image = np.clip(textured() + 0.45, 0, 1)
    image[disc(20)] = 1
    image[5, ::3] = 0
    dead = find_dead(image, gray())
    assert dead.blob_count
    assert dead.pixel_count > 20
    assert not find_dead(repair(image, dead, gray()), gray()).found


def test_where_nothing_is_good_the_source_takes_its_place() -> None:
    np.testing.assert_array_equal(repaired(np.full_like(ramp(), np.nan), ramp()), ramp())


@pytest.mark.parametrize("size", [(1, 24), (24, 1), (1, 1), (2, 2), (5, 40)])
def test_tiny_images_work(size: tuple[int, int]) -> None:
    source = np.full((*size, 3), 0.5, np.float32)
    image = np.full((*size, 3), 0.3, np.float32)
    image[0, 0] = np.nan
    result = repaired(image, source)
    assert result.shape == image.shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


def test_nothing_is_written_to() -> None:
    image = textured()
    image[disc()], image[5, 5], image[80, 80] = 1, 0, np.nan
    before = image.copy()
    repaired(image, gray())
    np.testing.assert_array_equal(image, before)
