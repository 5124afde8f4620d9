"""SSIM and sharpness against their formulas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.frame_metrics import mean_gradient, sharpness, ssim


def clip() -> list[HostArray]:
    return list(np.random.default_rng(0).random((3, 40, 50, 3), dtype=np.float32))


def test_a_clip_is_as_sharp_as_itself() -> None:
    assert sharpness(clip(), clip()) == 1


def test_half_the_contrast_is_a_quarter_of_the_sharpness() -> None:
    assert sharpness([frame / 2 for frame in clip()], clip()) == pytest.approx(0.25, rel=1e-5)


def test_blur_is_noticed() -> None:
    blurred = [np.asarray(cv2.GaussianBlur(frame, (0, 0), 1), np.float32) for frame in clip()]
    assert sharpness(blurred, clip()) < 0.2


def test_flat_clips_have_nothing_to_lose() -> None:
    flat = [frame * 0 for frame in clip()]
    assert sharpness(flat, flat) == 1


def test_clips_of_other_lengths_are_refused() -> None:
    with pytest.raises(InputError):
        sharpness(clip()[:2], clip())


@pytest.mark.parametrize("shape", [(4, 1, 3), (1, 4, 3)])
def test_a_line_has_a_gradient_in_its_direction_alone(shape: tuple[int, int, int]) -> None:
    line = np.float32([0, 0.5, 0.5, 1]).repeat(3).reshape(shape)
    assert mean_gradient(line) == pytest.approx(0.5 / 3)
    assert mean_gradient(line[:1, :1]) == 0


def test_ssim_equals_scikit_image() -> None:
    first, noise = np.random.default_rng(0).random((2, 60, 70, 3), dtype=np.float32)
    second = np.clip(0.7 * first + 0.3 * noise, 0, 1).astype(np.float32)
    gray = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (first, second)]
    expected = structural_similarity(
        *gray, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(first, second) == pytest.approx(expected, abs=1e-4)


def test_equal_images_are_fully_similar_at_any_size() -> None:
    for size in ((40, 40), (3, 50), (1, 1)):
        image = np.random.default_rng(1).random((*size, 3), dtype=np.float32)
        assert ssim(image, image) == pytest.approx(1)
