"""SSIM against scikit-image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from vidstyle.evaluation.frame_metrics import ssim


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
