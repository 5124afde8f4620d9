"""Allocations that really fail, of each library that judges."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core.errors import DeviceError
from vidstyle.evaluation.evaluators import enough_memory

SIDE = 2**23
"""Of images that are larger than what a process can address."""


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.empty((SIDE, SIDE, 3), np.float32),
        lambda: torch.empty(SIDE, SIDE, 3),
        lambda: cv2.resize(np.zeros((2, 2, 3), np.float32), (SIDE, SIDE)),
    ],
    ids=["numpy", "torch", "opencv"],
)
def test_a_failed_allocation_is_a_device_error(allocate: Callable[[], object]) -> None:
    with (
        pytest.raises(DeviceError, match=r"^the work: out of memory; do less$"),
        enough_memory("the work", "do less"),
    ):
        allocate()


@pytest.mark.parametrize(
    "fail",
    [
        lambda: torch.zeros(2, 3) @ torch.zeros(2, 3),
        lambda: cv2.resize(np.zeros((2, 2), np.float32), (0, 0)),
    ],
    ids=["torch", "opencv"],
)
def test_other_faults_stay_what_they_are(fail: Callable[[], object]) -> None:
    with pytest.raises((RuntimeError, cv2.error)), enough_memory("the work", "do less"):
        fail()
