"""Sound of unusual form: kept, in time, and heard from beginning to end."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import av
import pytest

from tests.reports.conftest import edges, frame_times, loudness
from tests.stages.encode.sound_files import (
    bursts,
    heard,
    sound_facts,
    with_custom_layout,
    with_two_layouts,
    write_sound,
)
from vidstyle.cli.main import run_command

CLOSE = 0.005
"""Seconds by which sound may be off."""
TARGETS = ["out.mp4", "out.mkv", "out.webm"]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("cut", [None, (0, 20)])
def test_eight_channels_in_an_order_of_their_own_stay_eight(report, through, name, cut):
    made = through(report("sound-71.mov", with_custom_layout), name, cut=cut)
    ((_, channels, _),) = sound_facts(made.path)
    assert channels == 8
    assert "left out" not in made.text


def test_a_batch_goes_on_past_eight_channels(report, tmp_path, monkeypatch, capfd):
    source = report("sound-71.mov", with_custom_layout)
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("a.mov", "b.mov"):
        (clips / name).write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    options = ["--set", "encode.codec=libx264"]
    assert run_command(["batch", "identity", "clips", "-o", "out", *options]) == 0
    states = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [clip["state"] for clip in states["clips"]] == ["done", "done"]
    assert len(list((tmp_path / "out").glob("*.mp4"))) == 2


FORMS = {
    # Only a count of channels, where the file names no loudspeakers.
    "sound-pcm.avi": ("pcm_s16le", "stereo", 44_100),
    "sound-mono.mkv": ("pcm_s16le", "mono", 44_100),
    "sound.wmv": ("wmav1", "mono", 44_100),
    # A rate that the encoder of mp4 lacks.
    "sound-192k.mov": ("pcm_s16le", "mono", 192_000),
}


def _with_form(path: Path, codec: str, layout: str, rate: int) -> Path:
    """Two bursts in a file of that form."""
    channels = av.AudioLayout(layout).nb_channels
    samples = bursts([0.4, 1.5], 2, rate, channels)
    if path.suffix != ".wmv":
        return write_sound(path, codec, samples, rate, layout)
    # The suffix makes FFmpeg choose a muxer of streams for it.
    made = write_sound(path.with_suffix(".asf"), codec, samples, rate, layout)
    return made.rename(path)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("file", FORMS)
def test_sound_whose_form_the_output_lacks_is_converted(report, through, file, name):
    codec, layout, rate = FORMS[file]
    source = report(file, partial(_with_form, codec=codec, layout=layout, rate=rate))
    made = through(source, name)
    ((_, channels, _),) = sound_facts(made.path)
    assert channels == sound_facts(source)[0][1]
    assert "left out" not in made.text
    assert edges(made.path) == pytest.approx(edges(source), abs=CLOSE)


def _stereo_to_51(path: Path) -> Path:
    """A transmission; its sound changes from stereo to 5.1 after a second."""
    return with_two_layouts(path)


@pytest.mark.parametrize(
    ("name", "cut", "change"),
    [("out.webm", None, 2.2), ("out.mp4", None, 2.2), ("out.mp4", (10, 90), 1.8)],
)
def test_both_halves_of_a_change_of_layout_are_heard(report, through, request, name, cut, change):
    source = report("stereo-to-51.ts", _stereo_to_51)
    if source.parent.name != "reports":
        change, cut = 1.0, cut and (5, 45)
        change -= 0.2 if cut else 0
    made = through(source, name, cut=cut)
    assert loudness(made.path, 0, change - 0.1) > 0.02
    assert loudness(made.path, change + 0.1, 9) > 0.02
    assert "damage" not in made.text
    assert len(sound_facts(made.path)) == 1


LOST = (1.0, 1.096)
"""Seconds in which packets are missing."""


def _with_gap(path: Path) -> Path:
    """Four packets of MP3 are missing; a flash and a burst come after that."""
    samples = bursts([1.6], 2, 48_000)

    def is_kept(seconds: float) -> bool:
        return not LOST[0] <= seconds < LOST[1]

    return write_sound(path, "libmp3lame", samples, 48_000, "mono", keep=is_kept, flash=1.6)


@pytest.mark.parametrize(
    ("name", "cut"), [("out.mp4", None), ("out.mkv", None), ("out.webm", None), ("out.mp4", "all")]
)
def test_sound_after_missing_packets_is_in_time(report, through, name, cut):
    source = report("sound-gap.mkv", _with_gap)
    wanted = heard(source)[0] - _flash(source)
    made = through(source, name, cut=(0, len(frame_times(source))) if cut else None)
    assert heard(made.path)[0] - _flash(made.path) == pytest.approx(wanted, abs=CLOSE)
    assert "damage" not in made.text


@pytest.fixture(scope="module", params=["libmp3lame", "flac"])
def with_gaps(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute in which packets are missing; a flash and a burst come at its end."""
    path = tmp_path_factory.mktemp("gaps") / "in.mkv"
    lost = [(5.0, 5.1), (12.0, 12.03), (20.0, 23.0), (40.0, 40.11), (55.55, 55.6)]

    def is_kept(seconds: float) -> bool:
        return not any(start <= seconds < end for start, end in lost)

    samples = bursts([58.88], 60, 48_000)
    return write_sound(
        path, request.param, samples, 48_000, "mono", keep=is_kept, flash=58.88, seconds=60
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cut", "copied"),
    [
        ("out.mp4", None, True),
        ("out.mkv", None, True),
        ("out.webm", None, False),
        ("out.mp4", (25, 1500), False),
    ],
)
def test_sound_with_gaps_is_in_time_at_the_end_of_a_minute(with_gaps, through, name, cut, copied):
    assert heard(with_gaps)[0] - _flash(with_gaps) == pytest.approx(0, abs=CLOSE)
    made = through(with_gaps, name, cut=cut)
    assert ("re-encoded" not in made.text) == copied
    assert heard(made.path)[0] - _flash(made.path) == pytest.approx(0, abs=CLOSE)


def _flash(path: Path) -> float:
    """When the first bright frame is shown."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.to_ndarray(format="gray").mean() > 150:
                return float(frame.time)
    raise AssertionError("there is no flash")
