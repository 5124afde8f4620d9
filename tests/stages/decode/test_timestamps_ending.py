"""The last frame's duration in files that store intervals between decoding times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest

TICK = Fraction(1, 90_000)
SHOWN = (0, 1000, 2500, 3000, 6000, 6400)
"""Times of the frames in ticks."""
DURATIONS = (1000, 1500, 500, 3000, 400, 20_000)
ORDER = (0, 3, 1, 2, 5, 4)
"""Of the frames in the file: the last to be shown is decoded before another."""
SORTED = tuple(at - 1500 for at in SHOWN)
"""Decoding times as most writers of true files have them."""
LATE = (-1000, 0, 1000, 2500, 3000, 6000)
"""Decoding times as x264 makes them: the sorted ones, a frame late."""


@pytest.fixture
def write(tmp_path: Path, square) -> Callable[[Sequence[int], int], Path]:
    """A clip with those decoding times and duration of the packet that is decoded last."""

    def made(decoded: Sequence[int], last: int) -> Path:
        path = tmp_path / "clip.mp4"
        fixed = "b-adapt=0:b-pyramid=none:bframes=2:scenecut=0"
        with av.open(path, "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", options={"x264-params": fixed})
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            stream.codec_context.time_base = TICK
            packets = []
            for at, image in zip(SHOWN, square(len(SHOWN)), strict=True):
                frame = av.VideoFrame.from_ndarray(image, "rgb24")
                frame.pts, frame.time_base = at, TICK
                packets += stream.encode(frame)
            packets += stream.encode(None)
            assert [SHOWN.index(packet.pts) for packet in packets] == list(ORDER)
            for packet, number, dts in zip(packets, ORDER, decoded, strict=True):
                packet.dts, packet.duration = dts, DURATIONS[number]
                if packet is packets[-1]:
                    packet.duration = last
                container.mux(packet)
        return path

    return made


@pytest.mark.parametrize(("decoded", "last"), [(SORTED, 20_000), (LATE, 19_400)])
def test_a_stretched_last_packet_gives_the_end_of_the_clip(write, opened, decoded, last):
    clip = opened(write(decoded, last))
    assert clip.times == list(SHOWN)
    assert clip.durations == list(DURATIONS)
    assert "truncated" not in clip.notes


def test_packets_with_their_own_frame_s_duration_are_believed(write, opened):
    # Each interval is that of ORDER's frame.
    decoded = [at - 21_100 for at in (0, 1000, 4000, 5500, 6000, 26_000)]
    clip = opened(write(decoded, 400))
    assert clip.durations == list(DURATIONS)


def test_a_length_that_is_off_by_late_decoding_is_not_believed(write, opened):
    # The stream ends at 7400 by its length; its last frame's packet says 3000.
    assert opened(write(LATE, 400)).durations[-1] == 3000


def test_the_last_frame_of_half_a_file_does_not_last_to_the_end(write, opened):
    path = write(SORTED, 20_000)
    with av.open(path) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    path.write_bytes(path.read_bytes()[: places[3]])
    clip = opened(path)
    assert clip.times == [0, 1000, 3000]
    assert clip.durations[-1] == 1500
    assert "truncated" in clip.notes


def test_going_on_near_the_end_gives_the_same_last_duration(write, opened):
    clip = opened(write(SORTED, 20_000))
    frames = clip.source.frames()
    for _ in range(4):
        next(frames)
    mark = clip.source.mark()()
    assert [frame.duration for frame in clip.source.frames(mark)] == [400, 20_000]
