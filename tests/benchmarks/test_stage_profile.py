"""The profile names every stage, and counts what stages allocate and copy."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import cv2
import numpy as np
import pytest

from vidstyle.kernels.library import without_kernels


def test_arrays_of_numpy_and_of_opencv_are_counted(
    benchmark: Callable[[str], ModuleType],
) -> None:
    arrays = benchmark("costs.arrays")
    count = arrays.Arrays()
    with arrays.counting(count):
        first = np.zeros((100, 1000), np.float32)
        second = first + 1
        cv2.GaussianBlur(second, (3, 3), 1)
        np.empty(8, np.float32)
    after = np.ones((100, 1000), np.float32)
    assert count.number == 3
    assert count.size == 3 * after.nbytes


@pytest.mark.slow
def test_every_stage_has_its_line(
    benchmark: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    # With kernels there is little else to be listed.
    with without_kernels():
        benchmark("stage_profile").main(["--sizes", "96x64", "--frames", "3", "--stages", "blend"])
    printed = capsys.readouterr().out
    table, operations = printed.split("operations", 1)
    for stage in ("decode", "shots", "flow", "stylize", "blend", "encode", "runner", "all"):
        assert f"\n{stage} " in table
    assert "history" in operations
    assert "remap" in operations
