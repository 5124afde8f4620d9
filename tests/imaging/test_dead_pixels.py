"""What counts as dead: the definition against a naive one, blobs, runs and NaN."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.dead_pixels import blob_fraction, blobs, dead_pixels, find_dead

HEIGHT, WIDTH = 40, 52


def flat(value: float = 0.5, height: int = HEIGHT, width: int = WIDTH) -> HostArray:
    return np.full((height, width, 3), value, np.float32)


def noise(seed: int = 0) -> HostArray:
    return np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), np.float32)


def naive_median(image: HostArray) -> np.ndarray:
    padded = np.pad(image.astype(np.float64), ((2, 2), (2, 2), (0, 0)), mode="edge")
    height, width = image.shape[:2]
    shifts = [padded[y : y + height, x : x + width] for y in range(5) for x in range(5)]
    return np.asarray(np.median(shifts, axis=0))


@pytest.mark.parametrize("seed", range(3))
def test_dead_pixels_are_those_of_the_definition(seed: int) -> None:
    image = noise(seed)
    source = 0.5 + 0.2 * (noise(seed + 9) - 0.5)
    away = np.abs(image - naive_median(image)).max(2) > 0.25
    stable = np.abs(source - naive_median(source)).max(2) <= 0.05
    found = dead_pixels(image, source)
    np.testing.assert_array_equal(found, away & stable)
    assert 0 < found.mean() < away.mean()


def test_the_thresholds_are_exclusive_as_defined() -> None:
    image, source = flat(), flat()
    image[10, 10, 0], image[20, 20, 1] = 0.74, 0.76
    assert np.argwhere(dead_pixels(image, source)).tolist() == [[20, 20]]
    source[20, 20, 2] = 0.54
    assert dead_pixels(image, source)[20, 20]
    source[20, 20, 2] = 0.56
    assert not dead_pixels(image, source).any()


def test_a_clean_image_has_nothing_dead() -> None:
    dead = find_dead(flat(0.3), flat(0.6))
    assert not dead.found
    assert repr(dead) == "Dead(0 pixels, 0 blobs, 0 not finite)"


def test_a_thin_line_is_a_stroke_unless_strokes_are_counted() -> None:
    image = flat(0.9)
    image[:, 20] = 0.1
    assert find_dead(image, flat()).pixel_count == 0
    assert find_dead(image, flat(), strokes="counted").pixel_count == HEIGHT


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 2), (3, 3)])
def test_small_specks_are_found_whole(size: tuple[int, int]) -> None:
    image = flat(0.6)
    image[10 : 10 + size[0], 10 : 10 + size[1]] = (1, 0, 0)
    assert find_dead(image, flat()).pixel_count == size[0] * size[1]


def test_specks_in_corners_are_found() -> None:
    image = flat(0.6)
    for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1), (0, 25), (20, -1)):
        image[y, x] = 0
    assert find_dead(image, flat()).pixel_count == 6


@pytest.mark.parametrize("length", [11, 12])
def test_a_saturated_row_of_twelve_pixels_is_a_run(length: int) -> None:
    image = flat(0.6)
    image[10, 5 : 5 + length, 2] = 1
    dead = find_dead(image, flat())
    assert np.count_nonzero(dead.runs) == (length if length == 12 else 0)
    columns = find_dead(image.transpose(1, 0, 2).copy(), flat(0.5, WIDTH, HEIGHT))
    np.testing.assert_array_equal(columns.runs, dead.runs.T)


def test_a_row_that_is_not_saturated_is_no_run() -> None:
    image = flat(0.6)
    image[10, 5:25] = 0.1
    assert not find_dead(image, flat()).found


@pytest.mark.parametrize("value", [0.0, 0.015, 0.985, 1.0])
@pytest.mark.parametrize(("area", "count"), [((4, 5), 1), ((1, 19), 0)])
def test_blobs_have_twenty_pixels(value: float, area: tuple[int, int], count: int) -> None:
    image = flat()
    image[10 : 10 + area[0], 10 : 10 + area[1]] = value
    mask, found = blobs(image, flat())
    assert found == count
    assert np.count_nonzero(mask) == 20 * count


def test_blobs_are_connected_across_corners_and_apart_elsewhere() -> None:
    image = flat()
    image[2:7, 2:7] = 1
    image[7:12, 7:12] = 1
    image[20:25, 20:25] = 1
    assert blobs(image, flat())[1] == 2


def test_colors_are_no_blobs() -> None:
    image = flat()
    image[5:20, 5:20] = (1, 1, 0.9)
    assert blobs(image, flat())[1] == 0


def test_the_source_excuses_a_blob_that_it_has_half_of() -> None:
    image, source = flat(), flat()
    image[10:20, 10:20] = 0
    source[10:20, 10:15] = 0.04
    assert blobs(image, source)[1] == 0
    source[10, 10] = 0.5
    assert blobs(image, source)[1] == 1
    assert blobs(image, 1 - source)[1] == 1


def test_what_the_style_image_has_is_allowed() -> None:
    image = flat()
    image[10:20, 10:20] = 1
    share = 100 / (HEIGHT * WIDTH)
    assert blob_fraction(image) == pytest.approx(share)
    assert blobs(image, flat(), allowed_fraction=share)[1] == 0
    assert blobs(image, flat(), allowed_fraction=share * 0.99)[1] == 1
    assert blob_fraction(flat()) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found_and_hides_nothing_else(value: float) -> None:
    image = flat()
    image[5, 5, 1] = value
    image[20:22, 20:40] = value
    image[30, 30] = 1
    dead = find_dead(image, flat())
    assert dead.not_finite_count == 41
    assert np.argwhere(dead.pixels).tolist() == [[30, 30]]
    assert dead.blob_count == 0


def test_infinities_of_both_signs_are_found() -> None:
    image = flat()
    image[5, 5], image[6, 6] = np.inf, -np.inf
    assert find_dead(image, flat()).not_finite_count == 2


@pytest.mark.parametrize("size", [(1, 24), (24, 1), (1, 1), (3, 3)])
def test_tiny_images_work(size: tuple[int, int]) -> None:
    assert not find_dead(flat(0.3, *size), flat(0.5, *size)).found
    image = flat(0.3, *size)
    image[0, 0] = np.nan
    assert find_dead(image, flat(0.5, *size)).not_finite_count == 1


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"alike, got \(40, 52, 3\) and \(40, 50, 3\)"):
        find_dead(flat(), flat(width=50))


def test_nothing_is_written_to() -> None:
    image, source = noise(), noise(1)
    image[3, 3] = np.nan
    before = image.copy(), source.copy()
    find_dead(image, source)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(source, before[1])


def test_soft_strokes_have_no_specks_where_the_definition_finds_some() -> None:
    random = np.random.default_rng(3)
    stylize = cv2.GaussianBlur(random.random((96, 128, 3), np.float32), (0, 0), 1.0) - 0.5
    image = np.clip(0.5 + stylize * (0.3 / stylize.std()), 0, 1)
    source = flat(0.5, 96, 128)
    assert dead_pixels(image, source).mean() > 0.05
    assert find_dead(image, source).pixels.mean() < 1e-4
