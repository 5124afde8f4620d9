"""Restoring the contrast of fine detail and of strokes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.contrast import (
    detail_edges,
    find_overshoot,
    missing_strokes,
    sharpen,
    sharpening_to,
)

RANDOM = np.random.default_rng(0)
CRISP = np.clip(
    0.5 + 0.15 * RANDOM.standard_normal((64, 80, 3)).astype(np.float32), 0.05, 0.95
).astype(np.float32)
SOFT = np.asarray(cv2.GaussianBlur(CRISP, (0, 0), 0.5), np.float32)
ALL = np.ones((64, 80), np.float32)


def sharpened(
    image: HostArray, like: HostArray, weight: HostArray, limit: float, part: float = 1
) -> HostArray:
    parts = np.full((32, 40), part, np.float32)
    return sharpen(image, sharpening_to(detail_edges(like), limit=limit, part=parts), weight)


def laplacian(image: HostArray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


def test_edges_are_the_mean_square_of_the_laplacian() -> None:
    x = np.arange(80)
    stripes = np.broadcast_to(0.5 + 0.1 * np.cos(np.pi * x / 2), (64, 80))
    image = np.repeat(stripes[..., np.newaxis], 3, axis=2).astype(np.float32)
    # A cosine of period 4 has a second difference of -2 times itself: mean square 4 a² / 2.
    np.testing.assert_allclose(detail_edges(image)[4:-4, 4:-4], 0.02, rtol=0.01)


def test_what_was_softened_is_nearly_as_sharp_again() -> None:
    after = sharpened(SOFT, CRISP, ALL, limit=4)
    assert laplacian(SOFT) < 0.5 * laplacian(CRISP)
    assert laplacian(SOFT) * 1.5 < laplacian(after) < 1.1 * laplacian(CRISP)
    assert laplacian(SOFT) < laplacian(sharpened(SOFT, CRISP, ALL, 4, 0.5)) < laplacian(after)


def test_what_is_sharp_enough_stays_as_it_is() -> None:
    np.testing.assert_allclose(sharpened(CRISP, SOFT, ALL, limit=4), CRISP, atol=1e-6)


def test_weight_zero_and_limit_one_change_nothing() -> None:
    np.testing.assert_array_equal(sharpened(SOFT, CRISP, 0 * ALL, limit=4), SOFT)
    np.testing.assert_allclose(sharpened(SOFT, CRISP, ALL, limit=1), SOFT, atol=1e-6)


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        sharpened(SOFT, CRISP, ALL, limit=0.5)


def strokes(contrast: float) -> HostArray:
    """Blobs some 8 pixels of the frame wide, on gray; half a frame's size."""
    noise = np.random.default_rng(0).standard_normal((96, 128, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.asarray(0.5 + contrast * soft / soft.std(), np.float32)


def test_missing_strokes_come_back_up_to_the_limit() -> None:
    faded, full = strokes(0.05), strokes(0.1)
    inner = np.s_[8:-8, 8:-8]
    for limit, least, most in ((1.2, 1.1, 1.2), (4.0, 1.3, 2.0)):
        more = faded + missing_strokes(faded, full, limit=limit)
        fine = [p - cv2.GaussianBlur(p, (0, 0), 4) for p in (more, faded)]
        assert least < fine[0][inner].std() / fine[1][inner].std() < most


def test_strokes_as_strong_as_the_reference_stay() -> None:
    assert np.abs(missing_strokes(strokes(0.1), strokes(0.05), limit=2)).max() == 0


def test_a_flat_image_is_not_amplified() -> None:
    flat = np.full((96, 128, 3), 0.4, np.float32)
    assert np.abs(missing_strokes(flat, strokes(0.1), limit=2)).max() < 1e-6


def test_a_limit_of_strokes_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        missing_strokes(strokes(0.1), strokes(0.1), limit=0.9)


def test_overshoot_is_what_the_mean_over_the_weight_has_beyond_the_limit() -> None:
    weight = np.full((64, 64), 0.5, np.float32)
    weight[:, 32:] = 1
    change = np.repeat((0.3 * weight)[..., np.newaxis], 3, axis=2)
    beyond = find_overshoot(full(0.1), change, weight)
    assert beyond is not None
    np.testing.assert_allclose(beyond, 0.2, atol=1e-5)
    assert find_overshoot(full(0.31), change, weight) is None
    np.testing.assert_allclose(find_overshoot(full(0.1), -change, weight), -0.2, atol=1e-5)


def full(limit: float) -> HostArray:
    return np.full((64, 64), limit, np.float32)
