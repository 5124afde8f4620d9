"""Values that are no numbers are found, wherever they are."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from vidstyle.kernels.finite import all_finite
from vidstyle.kernels.library import without_kernels


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("shape", [(), (1,), (37, 53), (36, 64, 3)])
def test_one_value_that_is_no_number_is_found(shape: tuple[int, ...], compiled: bool) -> None:
    array = np.random.default_rng(0).normal(0, 1e6, shape).astype(np.float32)
    with nullcontext() if compiled else without_kernels():
        assert all_finite(array)
        for place in {0, array.size // 2, array.size - 1}:
            for value in (np.nan, -np.nan, np.inf, -np.inf):
                other = array.copy()
                other.flat[place] = value
                assert not all_finite(other)


def test_rows_that_lie_apart_count_too() -> None:
    array = np.zeros((8, 12), np.float32)[:, ::2]
    assert all_finite(array)
    array[7, 5] = np.inf
    assert not all_finite(array)


def test_large_numbers_are_numbers() -> None:
    assert all_finite(np.array([-3e38, 0, 3e38, 1e-45], np.float32))


def test_numbers_of_another_kind_are_read_as_what_they_are() -> None:
    array = np.zeros((4, 6), np.float16)
    assert all_finite(array)
    array[3, 5] = np.inf
    assert not all_finite(array)
