from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from vidstyle.core import FrameTime, Packet
from vidstyle.core.errors import OutputError
from vidstyle.stages.encode.timeline import Timeline, decoding_order, reorder_delay


@dataclass
class Chunk:
    order: tuple[int, ...]
    header: bytes = b""

    @property
    def frames(self) -> int:
        return len(self.order)

    def packets(self):
        return (Packet(b"", shown, number, shown == 0) for number, shown in enumerate(self.order))


PYRAMID = Chunk((0, 4, 2, 1, 3))
"""I, P, and three B frames of which the middle one is referred to."""


ORDER = decoding_order([PYRAMID, PYRAMID], 10)
UNEVEN = (1, 50, 3, 900, 2, 7, 1, 1, 44, 180_000)


def _times(*gaps: int, at: int = 0) -> list[FrameTime]:
    times = []
    for gap in gaps:
        times.append(FrameTime(at, gap))
        at += gap
    return times


def test_the_delay_is_what_the_deepest_reordering_needs():
    assert reorder_delay(ORDER) == 2
    assert reorder_delay(range(3)) == 0
    assert reorder_delay([]) == 0


@pytest.mark.parametrize("start", [0, 1000])
@pytest.mark.parametrize("most_ahead", [None, 0, 1000, 10**9])
@pytest.mark.parametrize(
    "gaps",
    [
        (40, 40, 40, 40, 40, 40, 40, 40, 40, 40),
        (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
        (90_000, 1, 1, 1, 1, 1, 1, 1, 1, 1),
        (1, 1, 1, 1, 1, 1, 1, 90_000, 90_000, 1),
        UNEVEN,
    ],
)
def test_decoding_grows_and_never_follows_presentation(gaps, most_ahead, start):
    times = _times(*gaps, at=start)
    packets = list(Timeline(times, ORDER, most_ahead).packets([PYRAMID, PYRAMID]))
    assert [packet.pts for packet in packets] == [
        times[number].pts for number in (0, 4, 2, 1, 3, 5, 9, 7, 6, 8)
    ]
    dts = [packet.dts for packet in packets]
    assert all(before < after for before, after in pairwise(dts))
    assert all(packet.dts <= packet.pts for packet in packets)
    if start:
        # Else FFmpeg's mp4 loses some of the start.
        waits = [packet.pts - packet.dts for packet in packets if packet.dts <= 0]
        assert min(waits, default=0) == (waits[0] if waits else 0)
    if most_ahead is None:
        assert packets[-1].duration == times[8].duration
    else:
        # What mp4 counts as its length is the clip's, to the tick.
        assert packets[-1].duration > 0
        assert dts[-1] + packets[-1].duration - dts[0] == sum(gaps)


def test_intervals_are_the_frames_own_where_decoding_may_run_ahead():
    times = _times(*UNEVEN)
    # Frames 9 and 7, of 180,000 ticks and 1, are decoded before 6 and shown after it.
    packets = list(Timeline(times, ORDER, 180_001).packets([PYRAMID, PYRAMID]))
    ends = [packet.dts for packet in packets[1:]] + [packets[-1].dts + packets[-1].duration]
    found = [end - packet.dts for packet, end in zip(packets, ends, strict=True)]
    assert found == [UNEVEN[frame] for frame in ORDER]
    assert -packets[0].dts == 180_001


def test_a_frame_too_long_to_run_ahead_by_leaves_the_sorted_times_and_a_true_last_interval():
    times = _times(*UNEVEN)
    packets = list(Timeline(times, ORDER, 180_000).packets([PYRAMID, PYRAMID]))
    shown = [frame.pts for frame in times]
    assert [packet.dts for packet in packets][2:] == shown[:8]
    assert packets[-1].duration == 180_000


def test_a_constant_rate_has_one_interval_whatever_is_allowed():
    dts = [
        [packet.dts for packet in Timeline(_times(*[40] * 10), ORDER, most).packets([PYRAMID] * 2)]
        for most in (None, 0, 10**9)
    ]
    assert dts == [list(range(-80, 320, 40))] * 3


@pytest.mark.parametrize("most_ahead", [None, 0, 100])
def test_clips_of_one_and_two_frames(most_ahead):
    (one,) = Timeline(_times(70), [0], most_ahead).packets([Chunk((0,))])
    assert (one.pts, one.dts, one.duration) == (0, 0, 70)
    two = Timeline(_times(70, 7), [0, 1], most_ahead).packets([Chunk((0, 1))])
    assert [(packet.dts, packet.duration) for packet in two] == [(0, 70), (70, 7)]


def test_packets_that_belong_to_no_frame_are_refused():
    with pytest.raises(OutputError, match="belongs to no frame"):
        list(Timeline(_times(1, 1), range(2)).packets([Chunk((0, 1, 2))]))
    with pytest.raises(OutputError, match="2 packets are stored for 3 frames"):
        list(Timeline(_times(1, 1, 1), range(3)).packets([Chunk((0, 1))]))
    with pytest.raises(OutputError, match="belongs to no frame"):
        decoding_order([PYRAMID], 4)
    with pytest.raises(OutputError, match="5 packets are stored for 6 frames"):
        decoding_order([PYRAMID], 6)
