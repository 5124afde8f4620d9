"""Times that only go forward."""

from __future__ import annotations

import itertools

import av
import pytest

from vidstyle.stages.decode.timestamps import Decoded, Repairs, repair_times

IMAGE = av.VideoFrame(16, 16, "gray")


def times(*raw, step=10, first=0, after=None, last_duration=0, end=None):
    """Repaired times, durations and counts of frames with these raw times."""
    repairs = Repairs()
    decoded = [
        Decoded(IMAGE, pts, last_duration if index == len(raw) - 1 else 3)
        for index, pts in enumerate(raw)
    ]
    timed = list(
        repair_times(decoded, first=first, step=step, repairs=repairs, after=after, end=lambda: end)
    )
    return [item.pts for item in timed], [item.duration for item in timed], repairs


def test_good_times_stay_as_they_are():
    pts, durations, repairs = times(100, 110, 113, 180, last_duration=7)
    assert pts == [100, 110, 113, 180]
    assert durations == [10, 3, 67, 7]
    assert repairs.notes() == []


def test_negative_times_are_good_times():
    assert times(-20, -10, 0)[0] == [-20, -10, 0]


def test_the_last_frame_lasts_a_step_where_the_file_does_not_say():
    assert times(0, 10)[1] == [10, 10]


def test_the_last_frame_lasts_to_the_stream_s_end_where_that_is_known():
    assert times(0, 10, last_duration=7, end=30)[1] == [10, 20]
    assert times(0, 10, last_duration=7, end=9)[1] == [10, 7]
    # The end is on the file's clock, which was set back by 20 and a step.
    assert times(0, 10, 20, 0, 10, end=17)[1][-1] == 7


def test_one_frame_has_a_time_and_a_duration():
    assert times(5)[:2] == ([5], [10])


def test_no_frames_give_no_frames():
    assert times()[0] == []


def test_without_any_times_frames_come_step_by_step():
    pts, durations, repairs = times(None, None, None, first=40)
    assert pts == [40, 50, 60]
    assert durations == [10, 10, 10]
    assert repairs.missing == 3


def test_a_missing_time_is_placed_between_its_neighbors():
    assert times(0, None, 20, 30)[0] == [0, 10, 20, 30]
    assert times(0, None, 8)[0] == [0, 4, 8]


def test_a_repeated_time_is_placed_between_its_neighbors():
    pts, durations, repairs = times(0, 10, 10, 20, 30)
    assert pts == [0, 10, 15, 20, 30]
    assert durations == [10, 5, 5, 10, 10]
    assert repairs.backward == 1


def test_a_stray_time_does_not_move_what_follows():
    assert times(0, 10, 3, 30, 40)[0] == [0, 10, 20, 30, 40]


def test_a_clock_that_was_set_back_goes_on():
    pts, _, repairs = times(0, 10, 20, 0, 10, 20)
    assert pts == [0, 10, 20, 30, 40, 50]
    assert repairs.backward == 1
    assert "not going forward: 1" in repairs.notes()[0].text


def test_a_backward_last_frame_comes_a_step_later():
    assert times(0, 10, 20, 5)[0] == [0, 10, 20, 30]


@pytest.mark.parametrize(
    "raw", [[5, 5, 5, 5], [0, None, 0, None, 0], [9, 8, 7, 6], [3, 4, 4, 5, 6]]
)
def test_times_always_go_forward(raw):
    pts, durations, _ = times(*raw)
    assert len(pts) == len(raw)
    assert all(later > earlier for earlier, later in itertools.pairwise(pts))
    assert all(duration > 0 for duration in durations)


def test_going_on_after_a_frame_gives_what_the_whole_gives():
    raw = [0, 10, 13, 40, 50]
    assert times(*raw[2:], after=10)[0] == times(*raw)[0][2:]
