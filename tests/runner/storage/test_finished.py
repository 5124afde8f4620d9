"""Times in a manifest take little room where they are regular, and are exact wherever not."""

from __future__ import annotations

import random

import pytest

from vidstyle.core.sink import FrameTime
from vidstyle.runner.storage.finished import expand_times, shorten_times


def test_a_constant_rate_is_one_run() -> None:
    times = [FrameTime(1000 + 40 * number, 40) for number in range(500)]
    assert shorten_times(times) == [[1000, 40, 40, 500]]
    assert expand_times(shorten_times(times), 500) == times


@pytest.mark.parametrize("seed", range(20))
def test_any_times_come_back_as_they_were(seed: int) -> None:
    rng = random.Random(seed)
    times, pts = [], rng.randrange(-50, 50)
    for _ in range(rng.randrange(0, 40)):
        times.append(FrameTime(pts, rng.choice((1, 2, 2, 3))))
        pts += rng.choice((1, 2, 2, 2, 5))
    assert expand_times(shorten_times(times), len(times)) == times


@pytest.mark.parametrize(
    "damaged",
    [
        *(None, 3, [], [[1, 2, 3]], [["a", 1, 1, 2]], [[0, 1, 1, None]]),
        *([[0, 1, 1, 10**15]], [[0, 1, 1, 10**15], [0, 1, 1, 3 - 10**15]]),
    ],
)
def test_what_is_no_times_of_so_many_frames_is_none(damaged: object) -> None:
    assert expand_times(damaged, 3) == []
