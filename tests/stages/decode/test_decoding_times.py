from __future__ import annotations

import av
import numpy as np
import pytest

from vidstyle.stages.decode.decoding_times import PresentationOrder, only_grow


def _placed(packets, frames, *, lost=(), depth=2):
    """Times of frames, given those of packets in decoding order and of frames as they come out."""
    order, placed = PresentationOrder(), []
    for pts in packets:
        order.see(pts)
        if pts in lost:
            order.lose(pts)
    for pts in frames:
        placed.append(order.next_time(pts, depth))
    return placed


def test_frames_get_the_times_of_packets_in_order():
    assert _placed(range(1, 9), [1, 4, 3, 5, 2, 8, 7, 6]) == list(range(1, 9))


def test_the_time_of_a_packet_without_a_frame_is_not_used():
    assert _placed(range(1, 9), [1, 4, 5, 2, 8, 7, 6], lost=[3]) == [1, 2, 4, 5, 6, 7, 8]


def test_times_of_lost_frames_are_forgotten():
    frames = [*range(1, 40), *range(60, 100)]
    assert _placed(range(1, 100), frames, depth=0) == frames
    placed = _placed(range(1, 100), frames, depth=16)
    assert placed[:39] == frames[:39]
    assert placed[-1] == pytest.approx(99, abs=16)
    assert only_grow(placed)


def test_a_packet_without_a_frame_moves_no_other_frame():
    frames = [1, 3, 2, 5, 4, 9, 8, 11, 10, 12]
    assert _placed(range(1, 13), frames, depth=1) == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]


def test_frames_and_packets_without_times_stay_without():
    assert _placed([1, None, 2], [1, None, 2]) == [1, None, 2]


def _levels(opened) -> np.ndarray:
    return opened.images.mean(axis=(1, 2, 3)) * 255


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("in.avi", "libx264", {"bf": "3", "g": "12", "x264-params": "b-pyramid=normal:b-adapt=0"}),
        ("in.avi", "mpeg4", {"bf": "2", "g": "12"}),
        ("in.mxf", "libx264", {"bf": "2", "g": "12", "x264-params": "b-adapt=0"}),
        ("in.mp4", "libx264", {"bf": "3", "g": "12"}),
        ("in.mkv", "libx264", {"bf": "3", "g": "12"}),
    ],
)
@pytest.mark.parametrize("threads", [1, 4])
def test_reordered_frames_come_at_equal_intervals(
    write_clip, opened, name, codec, options, threads
):
    images = [np.full((96, 128, 3), 20 + 4 * number, np.uint8) for number in range(50)]
    path = write_clip(name, images, codec=codec, pixels="yuv420p", options=options)
    with av.open(str(path)) as container:
        # Otherwise the test would show nothing.
        assert container.streams.video[0].codec_context.reorder_depth
    clip = opened(path, threads=threads)
    assert len(clip.frames) == 50
    seconds = np.array(clip.times) * float(clip.clip.time_base)
    assert np.allclose(np.diff(seconds), 0.04, atol=0.0011)
    # Each image is 4 brighter than the one before it, but for what coding loses.
    assert np.all(np.diff(_levels(clip)) > -1)
    assert "timestamps" not in clip.notes
