"""Trust in a neighbor: where flow can be followed, where the images agree, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.confidence import confidence, without_creep
from vidstyle.testing import pan

SHAPE = (24, 32)
TOLERANCES = {"tolerance": 0.1, "tolerance_hidden": 0.05}


def gray(level: float) -> HostArray:
    return np.full((*SHAPE, 3), level, np.float32)


def even(flow: tuple[float, float] = (0, 0), visible: float = 1) -> tuple[HostArray, HostArray]:
    field = np.broadcast_to(np.asarray(flow, np.float32), (*SHAPE, 2)).copy()
    return field, np.full(SHAPE, visible, np.float32)


@pytest.mark.parametrize("difference", [0, 0.05, 0.1, 0.3])
def test_it_falls_with_the_difference_as_the_tolerance_says(difference: float) -> None:
    seen = confidence(gray(0.4), gray(0.4 + difference), *even(), **TOLERANCES)
    np.testing.assert_allclose(seen, np.exp(-(difference**2) / (2 * 0.1**2)), atol=1e-4)
    hidden = confidence(gray(0.4), gray(0.4 + difference), *even(visible=0), **TOLERANCES)
    np.testing.assert_allclose(hidden, np.exp(-(difference**2) / (2 * 0.05**2)), atol=1e-4)


def test_what_is_half_visible_is_half_and_half() -> None:
    value = confidence(gray(0.4), gray(0.5), *even(visible=0.5), **TOLERANCES)
    wanted = (np.exp(-0.5) + np.exp(-2)) / 2
    np.testing.assert_allclose(value, wanted, atol=1e-4)


def test_a_tolerance_of_nothing_leaves_the_hidden_alone() -> None:
    value = confidence(gray(0.4), gray(0.4), *even(visible=0), tolerance=0.1, tolerance_hidden=0)
    np.testing.assert_array_equal(value, 0)


def test_outside_of_the_neighbor_there_is_none() -> None:
    value = confidence(gray(0.4), gray(0.4), *even((5, 0), visible=0), **TOLERANCES)
    np.testing.assert_array_equal(value[:, 27:], 0)
    np.testing.assert_allclose(value[:, :27], 1, atol=1e-5)


def test_a_pan_is_trusted_wherever_it_stays_in_the_image() -> None:
    before, frame = pan(frames=2, step=(2, -1)).with_truth()
    flow, visible = frame.host("flow"), frame.host("visible")
    value = confidence(frame.host("source"), before.host("source"), flow, visible, **TOLERANCES)
    # Less than 1 at the edges, where the average has the repeated edge in it.
    assert value[visible == 1].min() > 0.95
    assert value[8:-8, 8:-8].min() > 0.999
    astray = confidence(
        frame.host("source"), before.host("source"), -4 * flow, visible, **TOLERANCES
    )
    assert astray[visible == 1].mean() < 0.7


def test_wrong_arguments_are_refused() -> None:
    flow, visible = even()
    with pytest.raises(ValueError, match="flow is"):
        confidence(gray(0), gray(0), flow[..., :1], visible, **TOLERANCES)
    with pytest.raises(ValueError, match="tolerance is positive"):
        confidence(gray(0), gray(0), flow, visible, tolerance=0, tolerance_hidden=0)


def test_creep_is_no_motion_and_motion_is_left() -> None:
    flow = np.zeros((1, 3, 2), np.float32)
    flow[0] = [(0.06, -0.07), (0.08, 0.07), (-3, 0.01)]
    given = flow.copy()
    np.testing.assert_array_equal(without_creep(flow, 0.1)[0], [(0, 0), *given[0, 1:]])
    np.testing.assert_array_equal(without_creep(flow, 0), given)
    np.testing.assert_array_equal(flow, given)
