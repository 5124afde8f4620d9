"""Detail that averaging took comes back, and no more than that."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.contrast import detail_energy, sharpened

RANDOM = np.random.default_rng(0)
CRISP = np.clip(
    0.5 + 0.15 * RANDOM.standard_normal((64, 80, 3)).astype(np.float32), 0.05, 0.95
).astype(np.float32)
SOFT = np.asarray(cv2.GaussianBlur(CRISP, (0, 0), 0.5), np.float32)
ALL = np.ones((64, 80), np.float32)


def laplacian(image: HostArray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


def test_energy_is_the_local_mean_square_of_the_laplacian() -> None:
    x = np.arange(80)
    stripes = np.broadcast_to(0.5 + 0.1 * np.cos(np.pi * x / 2), (64, 80))
    image = np.repeat(stripes[..., np.newaxis], 3, axis=2).astype(np.float32)
    # A cosine of period 4 has a second difference of -2 times itself: mean square 4 a² / 2.
    np.testing.assert_allclose(detail_energy(image)[8:-8, 8:-8], 0.02, rtol=0.01)


def test_what_was_softened_is_nearly_as_sharp_again() -> None:
    energy = detail_energy(CRISP)
    before, after = SOFT, sharpened(SOFT, energy, ALL, limit=4)
    assert laplacian(before) < 0.5 * laplacian(CRISP)
    assert laplacian(before) * 1.5 < laplacian(after) < 1.1 * laplacian(CRISP)


def test_what_is_sharp_enough_stays_as_it_is() -> None:
    np.testing.assert_allclose(
        sharpened(CRISP, detail_energy(SOFT), ALL, limit=4), CRISP, atol=1e-6
    )


def test_weight_zero_and_limit_one_change_nothing() -> None:
    energy = detail_energy(CRISP)
    np.testing.assert_array_equal(sharpened(SOFT, energy, 0 * ALL, limit=4), SOFT)
    np.testing.assert_allclose(sharpened(SOFT, energy, ALL, limit=1), SOFT, atol=1e-6)


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        sharpened(SOFT, detail_energy(CRISP), ALL, limit=0.5)
