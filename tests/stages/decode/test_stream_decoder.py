"""Damaged and truncated files."""

from __future__ import annotations

import av
import numpy as np
import pytest

from vidstyle.core.errors import InputError
from vidstyle.stages.decode.stream_decoder import Damage, StreamDecoder


def packets_of(path) -> list[tuple[int, int]]:
    """Place and size of each packet in the file."""
    with av.open(path) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size]


def overwritten(path, indices, value=0xFF):
    """Put rubbish over whole packets."""
    data = bytearray(path.read_bytes())
    places = packets_of(path)
    for index in indices:
        pos, size = places[index]
        data[pos : pos + size] = bytes([value]) * size
    path.write_bytes(data)
    return path


@pytest.fixture
def h264(write_clip, square):
    """20 frames, a keyframe every 5."""
    return write_clip(
        "clip.mp4", square(20), codec="libx264", pixels="yuv420p", options={"g": "5", "bf": "0"}
    )


def test_a_damaged_packet_costs_one_frame_and_is_reported(h264, opened):
    clip = opened(overwritten(h264, [7]))
    assert len(clip.frames) == 19
    assert "skipped as undecodable: 1 (first near 0.28 s)" in clip.notes["damage"]
    # The frame before stands in for the lost one.
    assert clip.durations[6] == 2 * clip.durations[0]


def test_several_damaged_packets_are_counted(h264, opened):
    clip = opened(overwritten(h264, [3, 8, 12]))
    assert len(clip.frames) == 17
    assert "undecodable: 3" in clip.notes["damage"]


def test_a_damaged_start_is_passed_over(h264, opened):
    clip = opened(overwritten(h264, range(5)))
    assert len(clip.frames) == 15
    assert clip.frames[0].index == 0


def test_frames_before_and_after_the_damage_are_whole(h264, opened):
    whole = opened(h264).images
    damaged = opened(overwritten(h264, [7])).images
    np.testing.assert_array_equal(damaged[:7], whole[:7])
    np.testing.assert_array_equal(damaged[-10:], whole[-10:])


def test_a_file_of_rubbish_packets_is_refused(h264, opened):
    with pytest.raises(InputError, match="none of its video can be decoded"):
        opened(overwritten(h264, range(20)))


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
def test_half_a_file_gives_half_the_frames_and_says_so(tmp_path, write_clip, square, opened, name):
    # The index in front, as in a download that broke off.
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = tmp_path / name
    with av.open(path, "w", options=options) as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        for image in square(60):
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuvj420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    clip = opened(path)
    assert 25 <= len(clip.frames) <= 31
    assert "it may be cut short" in clip.notes["truncated"]


def test_a_whole_file_is_not_called_truncated(h264, opened):
    assert opened(h264).notes.keys() == {"color-guessed"}


def test_sound_that_is_longer_does_not_make_a_clip_truncated(tmp_path, opened):
    path = tmp_path / "clip.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 48
        sound = container.add_stream("aac", rate=8000, layout="mono")
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 40000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    assert "truncated" not in opened(path).notes


def test_a_closed_reader_may_be_closed_again(h264):
    reader = StreamDecoder(h264, threads=2)
    next(reader.frames())
    reader.close()
    reader.close()


def test_a_file_without_video_is_closed_again(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        container.mux(stream.encode(None))
    with pytest.raises(InputError):
        StreamDecoder(path, threads=1)


def test_no_damage_needs_no_words():
    assert Damage().notes() == []
