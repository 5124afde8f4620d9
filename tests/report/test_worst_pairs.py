"""The worst frames are the highest values, and no neighbors."""

from __future__ import annotations

import itertools

import numpy as np

from vidstyle.report.pair_views import find_worst_frames


def test_neighbors_of_the_worst_are_passed_over() -> None:
    series = [0.0] * 30
    series[10], series[11], series[14], series[15], series[29] = 9.0, 8.0, 7.0, 6.0, 5.0
    assert find_worst_frames(tuple(series), count=3) == (10, 15, 29)


def test_missing_values_never_count() -> None:
    assert find_worst_frames((None, float("nan"), float("inf"), 0.5)) == (3,)
    assert find_worst_frames((None,)) == ()
    assert find_worst_frames(()) == ()


def test_equal_values_are_taken_in_order() -> None:
    assert find_worst_frames((None, *[1.0] * 19)) == (1, 6, 11, 16)


def test_they_are_apart_and_nothing_higher_was_left_out() -> None:
    values = tuple(np.random.default_rng(1).random(200).tolist())
    chosen = find_worst_frames(values, count=4, apart=5)
    assert len(chosen) == 4
    assert all(abs(a - b) >= 5 for a, b in itertools.combinations(chosen, 2))
    assert [values[at] for at in chosen] == sorted((values[at] for at in chosen), reverse=True)
    for index, value in enumerate(values):
        if value > values[chosen[-1]]:
            assert min(abs(index - other) for other in chosen) < 5
