"""A state survives its way to disk, and damage is noticed."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import load_state, save_state


def test_arrays_numbers_and_text_come_back() -> None:
    image = np.random.default_rng(0).random((3, 5, 3), np.float32)
    state = {"previous": image, "count": 7, "mean": 0.1, "name": "ü"}
    back = load_state(save_state(state))
    assert back is not None
    np.testing.assert_array_equal(back["previous"], image)
    assert {k: v for k, v in back.items() if k != "previous"} == {
        "count": 7,
        "mean": 0.1,
        "name": "ü",
    }


def test_nothing_and_empty_are_distinguished() -> None:
    assert load_state(save_state(None)) is None
    assert load_state(save_state({})) == {}


def test_a_scalar_array_keeps_its_shape() -> None:
    back = load_state(save_state({"cut": np.asarray(1.0, np.float32)}))
    assert back is not None
    assert np.asarray(back["cut"]).shape == ()


def test_other_values_are_refused() -> None:
    with pytest.raises(TypeError, match="state value frames is a list"):
        save_state({"frames": [1, 2]})  # type: ignore[dict-item]  # the point of the test


@pytest.mark.parametrize("cut", [0, 4, 20])
def test_damaged_bytes_are_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="damaged"):
        load_state(save_state({"a": 1})[:cut])
