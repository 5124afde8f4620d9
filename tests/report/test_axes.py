"""Axes hold their values, and their ticks are round."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidstyle.report.axes import frame_axis, value_axis

VALUES = [
    [0.0021, 0.0004, 0.0057],
    [0.91, 0.953],
    [-3.0, 4.5],
    [0.0],
    [-2.0],
    [7.0],
    [],
    [1.003e-6, 1.2e-6],
    [0.9999, 1.0],
    [123456.0, 5.0],
    [1.0, math.nextafter(1.0, 2)],
    [-0.3, math.nextafter(-0.3, 0)],
    [0.5, 0.5 + 1e-9],
    [5e-324],
    [1e-310, 3e-310],
]


@pytest.mark.parametrize("values", VALUES)
def test_values_lie_between_round_ticks(values: list[float]) -> None:
    axis = value_axis(values, 186, 10)
    # A value may lie so little beyond the last tick that none can see it.
    slack = 1e-8 * axis.step
    assert all(axis.low - slack <= value <= axis.high + slack for value in values)
    assert (axis.at(axis.low), axis.at(axis.high)) == (186, pytest.approx(10))
    mantissa = axis.step / 10.0 ** math.floor(math.log10(axis.step) + 1e-9)
    assert min(abs(mantissa - one) for one in (1, 2, 5)) < 1e-6
    assert 2 <= len(axis.ticks) <= 7
    np.testing.assert_allclose(np.diff(axis.ticks), axis.step)


@pytest.mark.parametrize("values", VALUES)
def test_labels_say_the_ticks(values: list[float]) -> None:
    axis = value_axis(values, 186, 10)
    labels = [axis.label(tick) for tick in axis.ticks]
    assert len(set(labels)) == len(labels)
    np.testing.assert_allclose(
        [float(label) for label in labels], axis.ticks, atol=axis.step * 1e-6
    )


def test_errors_begin_at_zero_and_likeness_does_not() -> None:
    assert value_axis([0.001, 0.004], 0, 1).low == 0
    assert value_axis([0.91, 0.95], 0, 1).low > 0.8


@pytest.mark.parametrize(("first", "count"), [(0, 1), (0, 2), (0, 40), (100, 7), (17, 5000)])
def test_frames_have_whole_numbers(first: int, count: int) -> None:
    axis = frame_axis(first, count, 0, 100)
    assert (axis.low, axis.at(first)) == (first, 0)
    assert axis.at(first + max(1, count - 1)) == 100
    assert all(tick == int(tick) and first <= tick <= axis.high for tick in axis.ticks)
    assert len(axis.ticks) <= 9
    assert [int(axis.label(tick)) for tick in axis.ticks] == list(axis.ticks)
