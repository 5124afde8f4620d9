"""History stays within the mean and the spread of the new image around each pixel."""

from __future__ import annotations

import numpy as np

from vidstyle.imaging.clipping import clip_to_neighborhood

RANDOM = np.random.default_rng(0)


def test_it_is_the_local_mean_and_deviation_of_a_naive_loop() -> None:
    image = RANDOM.random((24, 28, 3), np.float32)
    history = RANDOM.random((24, 28, 3), np.float32) * 3 - 1
    clipped = clip_to_neighborhood(history, image, deviations=1.5)
    for y, x in ((10, 12), (12, 9), (8, 20)):
        around = image[y - 7 : y + 8, x - 7 : x + 8].astype(np.float64).reshape(-1, 3)
        reach = 1.5 * around.std(0) + 0.01
        wanted = np.clip(history[y, x], around.mean(0) - reach, around.mean(0) + reach)
        np.testing.assert_allclose(clipped[y, x], wanted, atol=1e-4)


def test_a_stroke_carried_to_a_flat_area_vanishes() -> None:
    image = np.full((40, 40, 3), 0.6, np.float32)
    history = image.copy()
    history[:, 20] = 0.1
    assert np.abs(clip_to_neighborhood(history, image, deviations=2) - 0.6).max() < 0.011


def test_history_that_fits_is_left_as_it_is() -> None:
    image = RANDOM.random((40, 40, 3), np.float32)
    history = np.full_like(image, 0.5)
    np.testing.assert_array_equal(clip_to_neighborhood(history, image, deviations=2), history)


def test_nothing_is_written_to() -> None:
    image, history = RANDOM.random((2, 9, 9, 3), np.float32)
    before = image.copy(), history.copy()
    clip_to_neighborhood(history, image, deviations=1)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(history, before[1])
