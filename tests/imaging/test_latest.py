"""Results are remembered by image, not by content, and no longer than they are needed."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.derived import Latest


class Counted:
    """Doubles an image, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: HostArray) -> HostArray:
        self.calls += 1
        return image * 2


def image(value: float) -> HostArray:
    return np.full((2, 3), value, np.float32)


def test_pairs_of_neighbors_cost_one_call_a_frame() -> None:
    counted = Counted()
    latest = Latest(counted)
    frames = [image(value) for value in range(6)]
    for before, now in pairwise(frames):
        np.testing.assert_array_equal(latest(before), before * 2)
        np.testing.assert_array_equal(latest(now), now * 2)
    assert counted.calls == len(frames)


def test_equal_images_are_two_images() -> None:
    counted = Counted()
    latest = Latest(counted)
    first, second = image(1), image(1)
    assert latest(first) is latest(first)
    assert latest(first) is not latest(second)
    assert counted.calls == 2


def test_an_image_lives_no_longer_for_being_remembered() -> None:
    latest = Latest(Counted())
    frame = image(1)
    seen = weakref.ref(frame)
    latest(frame)
    del frame
    gc.collect()
    assert seen() is None
    np.testing.assert_array_equal(latest(image(2)), image(4))
