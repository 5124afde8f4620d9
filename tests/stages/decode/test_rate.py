"""Constant and variable rates."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vidstyle.stages.decode.rate import (
    end_seconds_of,
    frame_count_of,
    frame_rate_of,
    is_regular,
    step_of,
)
from vidstyle.stages.decode.stream_decoder import StreamDecoder


def test_rounded_times_are_regular():
    rate = Fraction(30000, 1001)
    interval = 1 / (rate * Fraction(1, 1000))
    assert is_regular([round(n * interval) for n in range(500)], interval)


def test_one_late_frame_is_irregular():
    assert not is_regular([0, 40, 80, 140, 160], Fraction(40))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov", "clip.avi", "clip.ts"])
def test_a_constant_rate_is_found_in_every_container(write_clip, square, name):
    codec = "libx264"
    path = write_clip(name, square(30), codec=codec, pixels="yuv420p")
    with StreamDecoder(path, threads=1) as reader:
        assert frame_rate_of(reader) == 25
        assert step_of(reader.stream, reader.time_base) == round(1 / (25 * reader.time_base))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_variable_rate_is_none(write_clip, square, name):
    times = [0, 40, 80, 200, 210, 300, 380, 420]
    path = write_clip(
        name, square(8), codec="mpeg4", pixels="yuv420p", times=times, time_base=Fraction(1, 1000)
    )
    with StreamDecoder(path, threads=1) as reader:
        assert frame_rate_of(reader) is None


def test_an_index_shows_a_rate_that_changes_late(write_clip, square):
    times = [*range(260), 261, 264]
    path = write_clip("clip.mp4", square(2) * 131, codec="mpeg4", pixels="yuv420p", times=times)
    with StreamDecoder(path, threads=1) as reader:
        assert frame_rate_of(reader) is None


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_count_and_end_come_from_the_container(write_clip, square, name):
    path = write_clip(name, square(12), codec="mpeg4", pixels="yuv420p")
    with StreamDecoder(path, threads=1) as reader:
        assert frame_count_of(reader.stream, Fraction(25)) == 12
        assert end_seconds_of(reader.stream) == Fraction(12, 25)
