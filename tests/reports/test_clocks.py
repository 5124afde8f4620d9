"""Recordings that were joined: one clip with its sound, and no frame is computed twice."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

import vidstyle
from tests.media.joined_files import flashes, write_parts
from tests.reports.conftest import frame_times, loudness
from tests.stages.encode.sound_files import bursts, heard, sound_facts, write_sound
from vidstyle.core.errors import OutputError
from vidstyle.runner.execution.events import Event, FrameDone, NoteEvent, Resumed
from vidstyle.stages.encode import joining

STARTS = {
    "joined.ts": [10.0, 10.0],
    "overlap.ts": [10.0, 11.88],
    "clock-forward.ts": [10.0, 1010.0],
    "clock-back.ts": [1010.0, 10.0],
}
JUMPS = {"joined.ts": -2, "overlap.ts": -0.1, "clock-forward.ts": 998, "clock-back.ts": -1002}
"""About how many seconds a note names."""


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
@pytest.mark.parametrize("file", STARTS)
def test_joined_recordings_are_one_clip(report, through, file, name):
    source = report(file, partial(write_parts, starts=STARTS[file]))
    made = through(source, name)
    times = frame_times(made.path)
    assert len(times) == 100
    assert np.allclose(np.diff(times), 0.04, atol=0.0011)
    assert times[-1] == pytest.approx(3.96, abs=0.1)
    (note,) = (note for note in made.notes if "the file's clock jumps" in note)
    jump = float(note.partition("by ")[2].partition(" s")[0])
    assert jump == pytest.approx(JUMPS[file], abs=1)
    # The two files whose clock jumps far have no sound.
    with av.open(str(source)) as container:
        sounds = len(container.streams.audio)
    assert len(sound_facts(made.path)) == sounds
    if source.parent.name == "reports":
        assert not sounds or loudness(made.path, 0.1, 1.9) > 0.02 < loudness(made.path, 2.1, 3.9)
    else:
        assert heard(made.path) == pytest.approx(flashes(made.path), abs=0.005 + 0.0011)
        assert len(flashes(made.path)) == 2


def _run(source: Path, path: Path, **options: str) -> list[Event]:
    events: list[Event] = []
    given = {"encode.codec": "libx264", **options}
    vidstyle.run(
        "identity", source, path, options=given, device="cpu", overwrite=True, listen=events.append
    )
    return events


def _computed(events: list[Event]) -> int:
    return sum(isinstance(event, FrameDone) for event in events)


@pytest.mark.parametrize("file", ["joined.ts", "overlap.ts"])
def test_without_sound_the_finished_frames_are_used_again(report, tmp_path, file):
    source = report(file, partial(write_parts, starts=STARTS[file]))
    made = tmp_path / "out.mp4"
    assert _computed(_run(source, made)) == 100
    again = _run(source, made, **{"encode.audio": "drop"})
    assert _computed(again) == 0
    assert sound_facts(made) == []
    assert len(frame_times(made)) == 100


def _with_late_refusal(path: Path) -> Path:
    """E-AC-3 of which mp4 refuses a packet in the middle."""
    write_sound(path, "eac3", bursts([0.5], 2, 48_000), 48_000, "mono")
    data = bytearray(path.read_bytes())
    packets = [at for at in range(len(data)) if data[at : at + 2] == b"\x0b\x77"]
    for at in packets[20:22]:
        data[at : at + 6] = bytes(6)
    path.write_bytes(data)
    return path


def test_after_a_refusal_no_frame_is_computed_again(tmp_path):
    source, made = _with_late_refusal(tmp_path / "in.mkv"), tmp_path / "out.mp4"
    events = _run(source, made)
    assert _computed(events) == 50
    assert any(
        isinstance(event, NoteEvent) and "mp4 refuses its packets" in event.note.text
        for event in events
    )
    ((codec, _, _),) = sound_facts(made)
    assert codec == "aac"
    assert _computed(_run(source, made, **{"encode.audio": "drop"})) == 0
    assert sound_facts(made) == []


def test_what_fails_while_the_file_is_joined_leaves_its_frames(tmp_path, monkeypatch):
    source, made = _with_late_refusal(tmp_path / "in.mkv"), tmp_path / "out.mp4"
    # As before refusals were answered.
    monkeypatch.setattr(joining, "is_refusal", lambda error: False)
    with pytest.raises(OutputError):
        _run(source, made)
    assert not made.exists()
    again = _run(source, made, **{"encode.audio": "drop"})
    assert [event.frames for event in again if isinstance(event, Resumed)] == [50]
    assert _computed(again) == 0
    assert len(frame_times(made)) == 50
