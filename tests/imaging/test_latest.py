"""Results are remembered by picture, not by content, and no longer than they are needed."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.latest import Latest


class Counted:
    """Doubles a picture, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, picture: HostArray) -> HostArray:
        self.calls += 1
        return picture * 2


def picture(value: float) -> HostArray:
    return np.full((2, 3), value, np.float32)


def test_pairs_of_neighbours_cost_one_call_a_frame() -> None:
    counted = Counted()
    latest = Latest(counted)
    frames = [picture(value) for value in range(6)]
    for before, now in pairwise(frames):
        np.testing.assert_array_equal(latest(before), before * 2)
        np.testing.assert_array_equal(latest(now), now * 2)
    assert counted.calls == len(frames)


def test_equal_pictures_are_two_pictures() -> None:
    counted = Counted()
    latest = Latest(counted)
    first, second = picture(1), picture(1)
    assert latest(first) is latest(first)
    assert latest(first) is not latest(second)
    assert counted.calls == 2


def test_a_picture_lives_no_longer_for_being_remembered() -> None:
    latest = Latest(Counted())
    frame = picture(1)
    seen = weakref.ref(frame)
    latest(frame)
    del frame
    gc.collect()
    assert seen() is None
    np.testing.assert_array_equal(latest(picture(2)), picture(4))
