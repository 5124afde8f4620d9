"""Fewer frames a second: which are kept, at which times, and from where reading may begin."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from tests.stages.decode.test_clip_reader import SLOW, assert_same, open_source, whole_with_marks
from vidstyle.core import ExecutionContext
from vidstyle.stages.decode.images import STAGE as IMAGES
from vidstyle.stages.decode.pyav import STAGE
from vidstyle.stages.decode.thinning import thin_frames, thin_numbers
from vidstyle.stages.decode.timestamps import Timed

IMAGE = av.VideoFrame(16, 16, "gray")
MS = Fraction(1, 1000)


def thinned(pts, rate, tick, *, first=None, after=None, last=1):
    ends = [*pts[1:], pts[-1] + last]
    timed = [Timed(IMAGE, at, end - at) for at, end in zip(pts, ends, strict=True)]
    begin = pts[0] if first is None else first
    kept = thin_frames(timed, Fraction(rate), tick=tick, first=begin, after=after)
    return [(item.pts, item.duration) for item in kept]


@pytest.mark.parametrize(
    ("rate", "of", "every", "tick"),
    [
        ("12.5", 25, 2, Fraction(1, 25)),
        ("12.5", 25, 2, MS),
        ("15", 30, 2, MS),
        ("10", 30, 3, MS),
        ("12", 60, 5, MS),
        ("24000/2002", Fraction(24000, 1001), 2, Fraction(1, 90000)),
        ("30", 120, 4, MS),
        ("25", 25, 1, MS),
        ("60", 25, 1, Fraction(1, 25)),
    ],
)
def test_of_a_constant_rate_every_nth_frame_is_kept(rate, of, every, tick):
    pts = [round(number / of / tick) for number in range(3 * 4 * 5 * every)]
    kept = thinned(pts, rate, tick)
    assert [at for at, _ in kept] == pts[::every]
    assert all(at + length == later for (at, length), (later, _) in pairwise(kept))
    assert sum(kept[-1]) == pts[-1] + 1


def test_frames_keep_their_own_times_where_rates_do_not_divide():
    pts = [40 * number for number in range(25)]
    kept = [at for at, _ in thinned(pts, 10, MS)]
    assert set(kept) < set(pts)
    assert kept == [0, 120, 200, 320, 400, 520, 600, 720, 800, 920]


def test_at_a_variable_rate_gaps_stay_and_bursts_go():
    kept = thinned([0, 10, 20, 500, 2000, 2001, 2002, 2003], 10, MS, last=7)
    assert kept == [(0, 500), (500, 1500), (2000, 10)]


@pytest.mark.parametrize("rate", ["7", "12.5", "24", "30"])
def test_reading_may_begin_behind_any_frame(rate):
    pts = np.cumsum(np.random.default_rng(3).integers(1, 90, 80)).tolist()
    whole = thinned(pts, rate, MS, first=0)
    for number, (after, _) in enumerate(whole):
        rest = pts[pts.index(after) + 1 :]
        if rest:
            assert thinned(rest, rate, MS, first=0, after=after) == whole[number + 1 :]


@pytest.mark.parametrize("settings", [{}, {"codec": "libx264", "pixels": "yuv420p"}])
def test_every_mark_is_found_among_frames_that_are_left_out(write_clip, square, settings):
    # 24 frames, one a second.
    source = open_source(write_clip("c.mkv", square(24), **settings, **SLOW), thin_to="0.5")
    frames, marks = whole_with_marks(source)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.pts for frame in frames] == list(range(0, 24_000, 2000))
    for mark in marks:
        assert_same(list(source.frames(mark)), frames[mark.index + 1 :])


@pytest.mark.parametrize(
    ("rate", "wanted", "count"),
    [(12.5, Fraction(25, 2), 5), ("25/3", Fraction(25, 3), 4), (10, None, 4), (60, 25, 10)],
)
def test_the_clip_has_the_rate_of_its_frames(write_clip, square, rate, wanted, count):
    source = STAGE(STAGE.Options(thin_to=rate))
    clip = source.open(write_clip("c.mp4", square(10)), ExecutionContext(threads=1))
    assert (clip.frame_rate, clip.frame_count) == (wanted, count)
    assert len(list(source.frames())) == count


@pytest.mark.parametrize(("rate", "wanted"), [(25, "12.5"), (25, 10), (30, 24), (10, 30)])
def test_numbers_are_kept_as_times_are(rate, wanted):
    kept = thinned(list(range(100)), wanted, Fraction(1, rate))
    assert thin_numbers(100, Fraction(rate), Fraction(wanted)) == [pts for pts, _ in kept]


def test_of_a_folder_of_images_as_many_are_left_out(tmp_path):
    for number in range(7):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((16, 16, 3), 30 * number, np.uint8))

    source = IMAGES(IMAGES.Options(thin_to=12.5))
    clip = source.open(tmp_path, ExecutionContext())
    assert (clip.frame_rate, clip.frame_count) == (Fraction(25, 2), 4)
    frames, marks = whole_with_marks(source)
    assert [(f.index, f.pts, f.duration) for f in frames] == [
        (0, 0, 2),
        (1, 2, 2),
        (2, 4, 2),
        (3, 6, 1),
    ]
    levels = [round(255 * float(frame.host("source").mean())) for frame in frames]
    assert levels == [0, 60, 120, 180]
    for mark in marks:
        assert_same(list(source.frames(mark)), frames[mark.index + 1 :])
