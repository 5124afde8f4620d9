"""Smoothing against the definition in float64."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.imaging.derived import smooth


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 3.0])
def test_smooth_is_a_truncated_gaussian_with_repeated_edges(sigma: float) -> None:
    image = np.random.default_rng(0).random((20, 24), dtype=np.float32)
    reach = int(np.ceil(2.5 * sigma))
    feature_layers = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    feature_layers /= feature_layers.sum()
    wide = np.pad(image.astype(np.float64), reach, mode="edge")
    rows = np.apply_along_axis(np.convolve, 1, wide, feature_layers, "valid")
    expected = np.apply_along_axis(np.convolve, 0, rows, feature_layers, "valid")
    np.testing.assert_allclose(smooth(image, sigma), expected, atol=1e-6)


def test_a_plain_image_stays_as_it_is_whatever_its_shape() -> None:
    for shape in ((1, 1), (1, 9, 3), (9, 1, 1), (5, 5, 2)):
        plain = np.full(shape, 0.4, np.float32)
        np.testing.assert_allclose(smooth(plain, 2.0), plain, atol=1e-6)
