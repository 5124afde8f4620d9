from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from vidstyle.core import FrameTime, Packet
from vidstyle.core.errors import OutputError
from vidstyle.stages.encode.timeline import Timeline, reorder_delay


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


def _times(*gaps: int) -> list[FrameTime]:
    times, at = [], 1000
    for gap in gaps:
        times.append(FrameTime(at, gap))
        at += gap
    return times


def test_the_delay_is_what_the_deepest_reordering_needs():
    assert reorder_delay([Chunk((0,)), PYRAMID]) == 2
    assert reorder_delay([Chunk((0, 1, 2))]) == 0
    assert reorder_delay([]) == 0


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize(
    "gaps",
    [
        (40, 40, 40, 40, 40, 40, 40, 40, 40, 40),
        (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
        (90_000, 1, 1, 1, 1, 1, 1, 1, 1, 1),
        (1, 50, 3, 900, 2, 7, 1, 1, 44, 180_000),
    ],
)
def test_decoding_grows_and_never_follows_presentation(gaps, sums):
    times = _times(*gaps)
    packets = list(Timeline(times, 2, sums).packets([PYRAMID, PYRAMID]))
    assert [packet.pts for packet in packets] == [
        times[number].pts for number in (0, 4, 2, 1, 3, 5, 9, 7, 6, 8)
    ]
    dts = [packet.dts for packet in packets]
    assert all(before < after for before, after in pairwise(dts))
    assert all(packet.dts <= packet.pts for packet in packets)
    if sums:
        # What mp4 counts as its length is the clip's, to the tick.
        assert packets[-1].duration > 0
        assert dts[-1] + packets[-1].duration - dts[0] == sum(gaps)


def test_packets_that_belong_to_no_frame_are_refused():
    with pytest.raises(OutputError, match="belongs to no frame"):
        list(Timeline(_times(1, 1), 0).packets([Chunk((0, 1, 2))]))
    with pytest.raises(OutputError, match="2 packets are stored for 3 frames"):
        list(Timeline(_times(1, 1, 1), 0).packets([Chunk((0, 1))]))
