"""Agreement has a closed form where the difference is the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement, photometric_distance, pixel_distance


def photometric_agreement(
    first: HostArray, second: HostArray, *, tolerance: float = 0.1
) -> HostArray:
    return agreement(photometric_distance(first, second), tolerance)


def test_equal_images_agree_fully() -> None:
    image = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    assert (photometric_agreement(image, image) == 1).all()


def test_a_uniform_difference_gives_the_gaussian_of_it() -> None:
    image = np.full((20, 30, 3), 0.3, np.float32)
    agreement = photometric_agreement(image, image + np.float32(0.2), tolerance=0.1)
    np.testing.assert_allclose(agreement, np.exp(-2), rtol=1e-4)


def test_luma_is_compared_as_gray_is() -> None:
    random = np.random.default_rng(1)
    first, second = random.random((2, 20, 30), dtype=np.float32)
    colors = photometric_agreement(np.dstack([first] * 3), np.dstack([second] * 3))
    before = first.copy()
    np.testing.assert_allclose(photometric_agreement(first, second), colors, atol=1e-5)
    np.testing.assert_array_equal(first, before)


def test_noise_disturbs_less_than_a_step_of_its_size() -> None:
    image = np.full((40, 40, 3), 0.5, np.float32)
    noise = np.random.default_rng(0).choice([-0.1, 0.1], (40, 40, 3)).astype(np.float32)
    assert photometric_agreement(image, image + noise).mean() > 0.95
    assert photometric_agreement(image, image + np.float32(0.1)).mean() < 0.7


def test_a_tolerance_of_nothing_is_refused() -> None:
    image = np.zeros((2, 2, 3), np.float32)
    with pytest.raises(ValueError, match="positive"):
        photometric_agreement(image, image, tolerance=0)


def test_a_thin_line_counts_pixel_for_pixel_and_little_on_the_average() -> None:
    image = np.full((40, 40, 3), 0.5, np.float32)
    line = image.copy()
    line[:, 20] = 1
    averaged, pixels = photometric_distance(image, line), pixel_distance(image, line)
    assert averaged[20, 20] < 0.1 * 0.25
    assert pixels[20, 20] > 0.4 * 0.25
