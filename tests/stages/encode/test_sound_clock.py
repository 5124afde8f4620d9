from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from vidstyle.media.sound import SoundLayout
from vidstyle.stages.encode.sound_clock import SoundClock

RATE = 48_000
LENGTH = 0.02


def _spans(times, *, layouts=None) -> list[float]:
    """Where spans begin, for frames of 20 ms at these times."""
    clock, pieces = SoundClock(SoundLayout("mono", 1)), []
    for number, time in enumerate(times):
        layout = layouts[number] if layouts else "mono"
        count = av.AudioLayout(layout).nb_channels
        samples = np.zeros((1, round(LENGTH * RATE) * count), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "flt", layout)
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = None if time is None else round(time * RATE)
        pieces += clock.push(frame)
    pieces += clock.finish()
    assert len(pieces) == len(times)
    return [float(piece.begins) for piece in pieces if piece.begins is not None]


def _row(count: int, start: float = 0.0) -> list[float]:
    return [start + LENGTH * number for number in range(count)]


def test_frames_in_a_row_are_one_span():
    assert _spans(_row(30, 1.5)) == [1.5]


def test_jitter_and_missing_times_do_not_end_a_span():
    jitter = np.random.default_rng(0).uniform(-0.01, 0.01, 200)
    times = [time + more for time, more in zip(_row(200), jitter, strict=True)]
    times[0] = 0.0
    times[50:60] = [None] * 10
    assert _spans(times) == [0.0]


@pytest.mark.parametrize("gap", [0.004, 0.02, 0.5, 30])
def test_what_is_missing_begins_a_span_at_the_frame_behind_it(gap):
    assert _spans(_row(20) + _row(20, 0.4 + gap)) == pytest.approx([0, 0.4 + gap])


def test_rounding_of_times_is_no_gap():
    assert _spans([round(time, 3) for time in _row(50)]) == [0]
    assert _spans(_row(20) + _row(20, 0.4 + 0.002)) == [0]


def test_sound_that_comes_early_begins_a_span_there():
    assert _spans(_row(20) + _row(20, 0.36)) == pytest.approx([0, 0.36])


def test_a_drifting_clock_is_followed():
    times = [time * 1.001 for time in _row(1000)]
    begins = _spans(times)
    assert len(begins) > 3
    assert max(b - a for a, b in zip(begins, [*begins[1:], 20.02], strict=True)) < 6


def test_another_layout_begins_a_span_where_the_last_one_ends():
    layouts = ["mono"] * 10 + ["stereo"] * 10
    assert _spans(_row(20), layouts=layouts) == pytest.approx([0, 0.2])
