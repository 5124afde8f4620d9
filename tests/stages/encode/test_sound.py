"""Sound of every form gets through, and stays where it belongs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.stages.encode.sound_files import (
    bursts,
    heard,
    sound_facts,
    with_custom_layout,
    with_two_layouts,
    write_sound,
)
from vidstyle.core import Clip, FrameTime, Original
from vidstyle.media.container import choose_video, open_input, other_streams

CLOSE = 0.005
"""Seconds by which sound may be off."""
FORMS = [
    (".avi", "pcm_s16le", "mono", 44_100),
    (".avi", "pcm_s16le", "stereo", 6_000),
    (".avi", "adpcm_ms", "stereo", 22_050),
    (".mkv", "pcm_s16le", "mono", 44_100),
    (".mkv", "pcm_u8", "stereo", 8_000),
    (".avi", "pcm_alaw", "mono", 8_000),
    (".mkv", "tta", "stereo", 96_000),
    (".mkv", "ac3", "5.1(side)", 48_000),
    (".mkv", "flac", "6.1", 48_000),
    (".mkv", "flac", "7.1(wide)", 32_000),
    (".mkv", "flac", "2.1", 48_000),
    (".mkv", "libopus", "stereo", 48_000),
    (".mov", "pcm_s16be", "5.1(side)", 48_000),
    (".mov", "pcm_s16le", "mono", 192_000),
    (".asf", "wmav2", "stereo", 44_100),
    (".asf", "wmav1", "mono", 44_100),
    (".mxf", "pcm_s16le", "stereo", 48_000),
    (".ts", "mp2", "stereo", 44_100),
    (".ts", "libopus", "stereo", 48_000),
    (".flv", "adpcm_swf", "mono", 11_025),
]
TARGETS = {"out.mp4": "libx264", "out.mkv": "libx264", "out.webm": "libvpx-vp9"}
CODECS = {"out.mov": "libx264", **TARGETS}


@pytest.fixture
def through(encode, moving):
    """Two or more seconds of new images, with the sound of a file."""

    def run(name: str, source: Path, *, seconds: int = 2, cut: tuple[int, int] | None = None):
        with open_input(source) as container:
            streams = other_streams(container, choose_video(container))
        clip = Clip(64, 48, Fraction(1, 25), Fraction(25), streams=streams)
        first, stop = (0, 25 * seconds) if cut is None else cut
        interval = None if cut is None else (Fraction(first, 25), Fraction(stop, 25))
        return encode(
            name,
            moving(1, 64, 48) * (stop - first),
            clip=clip,
            times=[FrameTime(number, 1) for number in range(stop - first)],
            original=Original(source, interval),
            codec=CODECS[name],
        )

    return run


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("cut", [None, (5, 45)])
@pytest.mark.parametrize(("suffix", "codec", "layout", "rate"), FORMS)
def test_sound_of_every_form_is_heard_when_it_should_be(
    tmp_path, through, name, cut, suffix, codec, layout, rate
):
    count = av.AudioLayout(layout).nb_channels
    path = tmp_path / f"in{suffix}"
    write_sound(path, codec, bursts([0.4, 1.5], 2, rate, count), rate, layout)
    # The clock of a transmission is that of its video.
    wanted = np.array(heard(path)) - (_first_image(path) if suffix == ".ts" else 0)
    assert len(wanted) == 2
    made = through(name, path, cut=cut)
    ((_, channels, _),) = sound_facts(made.path)
    assert channels == count or f"{layout} becomes" in " ".join(note.text for note in made.notes)
    found = np.array(heard(made.path)) + (0 if cut is None else 0.2)
    assert np.abs(found - wanted).max() < CLOSE
    assert "dropped" not in made.kinds


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_alaw", "pcm_mulaw", "pcm_s24be", "pcm_f64le"])
def test_quicktime_keeps_numbers_of_every_form(tmp_path, through, codec):
    path = write_sound(tmp_path / "in.mov", codec, bursts([0.4, 1.5], 2, 8000), 8000, "mono")
    made = through("out.mov", path)
    assert sound_facts(made.path) == sound_facts(path) == [(codec, 1, 8000)]
    assert heard(made.path) == heard(path)
    assert made.kinds == set()


LOSSLESS = [
    ("in.mov", "pcm_s16le", "out.mov"),
    ("in.mov", "pcm_s24be", "out.mov"),
    ("in.mov", "pcm_alaw", "out.mov"),
    ("in.mkv", "pcm_s32le", "out.mkv"),
    ("in.mkv", "pcm_f64le", "out.mkv"),
    ("in.mkv", "flac", "out.mkv"),
    ("in.mkv", "flac", "out.mp4"),
    ("in.mov", "alac", "out.mp4"),
    ("in.mkv", "wavpack", "out.mkv"),
    ("in.mkv", "tta", "out.mkv"),
]


@pytest.mark.parametrize("layout", ["mono", "5.1"])
@pytest.mark.parametrize(("source", "codec", "name"), LOSSLESS)
def test_a_cut_of_lossless_sound_loses_nothing(tmp_path, through, source, codec, name, layout):
    count, random = av.AudioLayout(layout).nb_channels, np.random.default_rng(0)
    noise = random.uniform(-0.7, 0.7, (96_000, count)).astype(np.float32)
    path = write_sound(tmp_path / source, codec, noise, 48_000, layout)
    made = through(name, path, cut=(5, 45))
    assert sound_facts(made.path) == sound_facts(path) == [(codec, count, 48_000)]
    assert np.array_equal(_decoded(made.path), _decoded(path)[:, 5 * 1920 : 45 * 1920])
    (note,) = made.notes
    assert note.text == f"audio stream 1 ({codec}) is re-encoded without loss: for an exact cut"


def test_a_cut_says_which_codec_lossless_sound_becomes(tmp_path, through):
    path = write_sound(tmp_path / "in.mov", "pcm_s16le", bursts([0.4], 2, 48_000), 48_000, "mono")
    (note,) = through("out.mp4", path, cut=(5, 45)).notes
    assert note.text == "audio stream 1 (pcm_s16le) is re-encoded as aac: for an exact cut"


def _decoded(path: Path) -> np.ndarray:
    """(channels, samples) as they are stored."""
    with av.open(str(path)) as container:
        sound = container.streams.audio[0]
        count = sound.codec_context.layout.nb_channels
        frames = [frame.to_ndarray() for frame in container.decode(sound)]
    return np.hstack([f if len(f) == count else f.reshape(-1, count).T for f in frames])


def _first_image(path: Path) -> float:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).time


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("cut", [None, (0, 50)])
def test_channels_of_a_custom_order_come_to_their_loudspeakers(tmp_path, through, name, cut):
    made = through(name, with_custom_layout(tmp_path / "in.mov"), cut=cut)
    ((codec, channels, _),) = sound_facts(made.path)
    assert channels == 8
    if codec == "pcm_s16le":
        return
    # FFmpeg's 7.1 is L R C LFE, back, sides; the file has the sides first.
    order = [0, 1, 2, None, 6, 7, 4, 5]
    for channel, stored in enumerate(order):
        if stored is not None:
            assert heard(made.path, channel)[0] == pytest.approx(0.2 * (stored + 1), abs=CLOSE)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("codec", ["libmp3lame", "libopus", "flac"])
@pytest.mark.parametrize("cut", [None, (0, 1500)])
def test_sound_with_gaps_ends_with_the_video(tmp_path, through, name, codec, cut):
    times = [2.5, 17.3, 31.8, 58.9]
    lost = [(5.0, 5.1), (12.0, 12.03), (20.0, 23.0), (40.0, 40.11), (55.55, 55.6)]
    path = write_sound(
        tmp_path / "in.mkv",
        codec,
        bursts(times, 60, 48_000),
        48_000,
        "mono",
        keep=lambda seconds: not any(start <= seconds < end for start, end in lost),
    )
    made = through(name, path, seconds=60, cut=cut)
    assert np.allclose(heard(path), times, atol=CLOSE)
    assert np.abs(np.array(heard(made.path)) - heard(path)).max() < CLOSE
    if cut is not None:
        assert _counted_length(made.path) == pytest.approx(60, abs=0.05)


def _counted_length(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.parametrize(("name", "cut"), [("out.webm", None), ("out.mp4", (0, 50))])
def test_a_change_of_layout_is_followed_and_noted(tmp_path, through, name, cut):
    path = with_two_layouts(tmp_path / "in.mkv")
    made = through(name, path, cut=cut)
    assert np.allclose(heard(made.path), [0.5, 0.992 + 0.5], atol=CLOSE + 0.006)
    assert any("changes midway" in note.text for note in made.notes)
    assert "damage" not in made.kinds


def test_sound_that_cannot_be_decoded_is_left_out_with_the_true_reason(tmp_path, through):
    path = write_sound(tmp_path / "in.mkv", "pcm_s16le", bursts([1], 2, 8000), 8000, "mono")
    path.write_bytes(path.read_bytes().replace(b"A_PCM/INT/LIT", b"A_UNKNOWN_COD"))
    made = through("out.mp4", path)
    assert sound_facts(made.path) == []
    (note,) = (note for note in made.notes if note.kind == "dropped")
    assert "no decoder" in note.text
