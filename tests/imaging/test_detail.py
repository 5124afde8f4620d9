"""Detail gain undoes a known loss of detail and invents none."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.detail import detail_gain, fine_band


def noise() -> HostArray:
    return np.random.default_rng(0).random((60, 60, 3), dtype=np.float32)


def test_an_image_needs_no_gain_to_equal_itself() -> None:
    assert (detail_gain(noise(), noise(), limit=2) == 1).all()


def test_detail_that_was_halved_needs_a_gain_of_two() -> None:
    image = noise()
    halved = image / 2 + np.float32(0.25)
    np.testing.assert_allclose(detail_gain(halved, image, limit=4), 2, rtol=1e-3)
    assert (detail_gain(halved, image, limit=1.5) == 1.5).all()


def test_detail_beyond_the_reference_is_left_alone() -> None:
    assert (detail_gain(noise(), noise() / 2, limit=2) == 1).all()


def test_flat_images_need_no_gain() -> None:
    flat = np.full((20, 20, 3), 0.4, np.float32)
    np.testing.assert_allclose(detail_gain(flat, flat + np.float32(1e-4), limit=2), 1, atol=1e-3)


def test_a_ramp_has_no_fine_band() -> None:
    across = np.linspace(0, 1, 60, dtype=np.float32)[:, np.newaxis]
    ramp = np.ascontiguousarray(np.broadcast_to(across, (60, 60, 3)))
    assert np.abs(fine_band(ramp)[:, 8:-8]).max() < 1e-5


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        detail_gain(noise(), noise(), limit=0.5)
