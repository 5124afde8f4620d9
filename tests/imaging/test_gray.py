"""Grey against the weights of BT.601 in float64."""

from __future__ import annotations

import numpy as np

from vidstyle.imaging.gray import grey8


def test_grey_is_luma_rounded_to_8_bits() -> None:
    picture = np.random.default_rng(0).random((31, 17, 3), dtype=np.float32)
    exact = picture.astype(np.float64) @ (0.299, 0.587, 0.114) * 255
    assert np.abs(grey8(picture) - exact).max() <= 0.5 + 1e-3


def test_values_out_of_range_are_clamped() -> None:
    picture = np.array([[[-1, -1, -1], [2, 2, 2], [0, 0, 0], [1, 1, 1]]], np.float32)
    assert grey8(picture).tolist() == [[0, 255, 0, 255]]
