"""Strokes that faded come back; a change over a wide area is bounded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.contrast import faded_strokes, overshoot


def strokes(contrast: float) -> HostArray:
    """Blobs some 8 pixels of the frame wide, on gray; half a frame's size."""
    noise = np.random.default_rng(0).standard_normal((96, 128, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.asarray(0.5 + contrast * soft / soft.std(), np.float32)


def test_faded_strokes_come_back_up_to_the_limit() -> None:
    faded, full = strokes(0.05), strokes(0.1)
    inner = np.s_[8:-8, 8:-8]
    for limit, least, most in ((1.2, 1.1, 1.2), (4.0, 1.3, 2.0)):
        more = faded + faded_strokes(faded, full, limit=limit)
        fine = [p - cv2.GaussianBlur(p, (0, 0), 4) for p in (more, faded)]
        assert least < fine[0][inner].std() / fine[1][inner].std() < most


def test_strokes_as_strong_as_the_reference_stay() -> None:
    assert np.abs(faded_strokes(strokes(0.1), strokes(0.05), limit=2)).max() == 0


def test_a_flat_image_is_not_amplified() -> None:
    flat = np.full((96, 128, 3), 0.4, np.float32)
    assert np.abs(faded_strokes(flat, strokes(0.1), limit=2)).max() < 1e-6


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        faded_strokes(strokes(0.1), strokes(0.1), limit=0.9)


def test_the_excess_is_what_the_mean_over_the_weight_has_beyond_the_limit() -> None:
    weight = np.full((64, 64), 0.5, np.float32)
    weight[:, 32:] = 1
    change = np.repeat((0.3 * weight)[..., np.newaxis], 3, axis=2)
    beyond = overshoot(full(0.1), change, weight)
    assert beyond is not None
    np.testing.assert_allclose(beyond, 0.2, atol=1e-5)
    assert overshoot(full(0.31), change, weight) is None
    np.testing.assert_allclose(overshoot(full(0.1), -change, weight), -0.2, atol=1e-5)


def full(limit: float) -> HostArray:
    return np.full((64, 64), limit, np.float32)
