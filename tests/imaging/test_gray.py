"""Gray against the weights of BT.601 in float64."""

from __future__ import annotations

import numpy as np

from vidstyle.imaging.derived import gray8


def test_gray_is_luma_rounded_to_8_bits() -> None:
    image = np.random.default_rng(0).random((31, 17, 3), dtype=np.float32)
    exact = image.astype(np.float64) @ (0.299, 0.587, 0.114) * 255
    assert np.abs(gray8(image) - exact).max() <= 0.5 + 1e-3


def test_values_out_of_range_are_clamped() -> None:
    image = np.array([[[-1, -1, -1], [2, 2, 2], [0, 0, 0], [1, 1, 1]]], np.float32)
    assert gray8(image).tolist() == [[0, 255, 0, 255]]
