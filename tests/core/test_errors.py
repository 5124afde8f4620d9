"""Failed allocations are distinguished from other errors, whichever library they come from."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core.errors import is_out_of_memory


def failure(action: object) -> BaseException:
    try:
        action()  # type: ignore[operator]  # a function without arguments
    except Exception as error:
        return error
    pytest.skip("this machine gave the memory")


@pytest.mark.parametrize(
    "action",
    [
        lambda: bytearray(1 << 62),
        lambda: np.empty(1 << 58),
        lambda: torch.empty(1 << 58),
    ],
)
def test_an_allocation_that_failed_is_one(action: object) -> None:
    assert is_out_of_memory(failure(action))


def test_other_errors_are_none() -> None:
    for action in (
        lambda: torch.ones(2) @ torch.ones(3),
        lambda: cv2.resize(np.zeros((2, 2)), (0, 0)),
        lambda: {}["x"],
    ):
        assert not is_out_of_memory(failure(action))
