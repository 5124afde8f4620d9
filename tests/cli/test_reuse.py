"""Frames that are there are used where they are the same, and stay where they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.cli.stamp_calls import packets, run
from vidstyle.cli.main import run_command
from vidstyle.runner.storage.records import Records


def interrupted(clips: Path, *more: str) -> None:
    """Leave the work of a run that was killed behind its first chunks."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, "run", "p.yaml", "clips/a.mp4", *more],
    )
    assert child.wait(timeout=60) == 9
    assert Records(clips).works()


KILLED = """\
import os, sys
from vidstyle.cli.main import run_command
from vidstyle.runner.storage.destination import Destination
setattr(Destination, "commit", lambda _: os._exit(9))
run_command(sys.argv[1:])
"""


def test_a_change_of_container_sound_or_titles_uses_the_finished_frames(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    interrupted(clips, "-o", "a.mp4")
    capfd.readouterr()
    drop = ("--set", "encode.audio=drop", "--set", "encode.metadata=drop")
    assert run_command(["run", "p.yaml", "clips/a.mp4", "-o", "a.mkv", *drop]) == 0
    assert "resuming an interrupted run after 9 frames" in capfd.readouterr().err
    assert not Records(clips).works()
    assert run_command(["run", "p.yaml", "clips/a.mp4", "-o", "whole.mkv"]) == 0
    assert packets(clips / "a.mkv") == packets(clips / "whole.mkv")


def test_all_words_for_the_same_frames_are_the_same_options(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call = ["run", "p.yaml", "clips/a.mp4", "-o", "a.mp4", "--frames"]
    assert run_command([*call, "1:99"]) == 0
    made = (clips / "a.mp4").stat().st_mtime_ns
    for words in ("1:9", "1:1000", "20ms:9s"):
        assert run_command([*call, words]) == 0
    assert (clips / "a.mp4").stat().st_mtime_ns == made
    assert capfd.readouterr().err.count("is done already") == 3


@pytest.mark.parametrize(
    ("codec", "first", "second"),
    [
        ("libx264", "a.mp4", "b.mkv"),
        ("libx264", "a.mkv", "b.mov"),
        ("libx265", "a.mov", "b.mkv"),
        ("libsvtav1", "a.mp4", "b.webm"),
        ("libvpx-vp9", "a.webm", "b.mkv"),
        ("prores_ks", "a.mov", "b.mkv"),
    ],
)
def test_a_finished_output_gives_its_frames_to_another_file(
    clips: Path, capfd: pytest.CaptureFixture[str], codec: str, first: str, second: str
) -> None:
    call = ["run", "p.yaml", "clips/a.mp4", "--set", f"encode.codec={codec}", "--frames", "1:8"]
    assert run_command([*call, "-o", first]) == 0
    capfd.readouterr()
    assert run_command([*call, "-o", second]) == 0
    assert f"the frames of {first} are used: only the file is made" in capfd.readouterr().err
    (clips / "apart").mkdir()
    assert run_command([*call, "-o", f"apart/{second}"]) == 0
    assert "are used" not in capfd.readouterr().err
    assert rows(clips / second) == rows(clips / "apart" / second)
    # One with another stamp is no source of frames, nor one that was changed.
    assert run_command([*call, "-o", f"c{second}", "--set", "blend.strength=0.5"]) == 0
    assert "are used" not in capfd.readouterr().err
    for name in (first, second):
        (clips / name).write_bytes((clips / name).read_bytes()[:-1] + b"!")
    drop = ("--set", "encode.metadata=drop")
    assert run_command([*call, *drop, "-o", second, "--overwrite"]) == 0
    assert "are used" not in capfd.readouterr().err


def rows(path: Path) -> list[tuple[object, ...]]:
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, packet.duration, packet.is_keyframe, bytes(packet))
            for packet in container.demux(video=0)
        ]


def test_work_with_other_options_stays_until_it_is_cleaned(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    interrupted(clips, "-o", "a.mp4")
    (work,) = Records(clips).works()
    assert run("--set", "blend.strength=0.5") == 0
    assert "a partial result with other options kept" in capfd.readouterr().err
    assert Records(clips).works() == [work]
    assert run_command(["clean"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert out[0].startswith(f"{work.relative_to(clips)}: 9 frames, ")
    assert out[1].startswith("1 partial result, ")
    assert out[1].endswith(": `vidstyle clean --yes` removes them")
    assert work.exists()
    assert run_command(["clean", str(clips), "--yes"]) == 0
    assert Records(clips).works() == []
    assert (clips / "a.mp4").exists()
    assert run("--set", "blend.strength=0.5") == 0
    assert run_command(["clean"]) == 0
    assert "nothing to clean" in capfd.readouterr().out


def test_old_work_is_removed_by_itself(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    interrupted(clips, "-o", "a.mp4")
    (work,) = Records(clips).works()
    os.utime(work, (1, 1))
    assert run("--set", "blend.strength=0.5") == 0
    assert f"partial work {work.name} was removed: older than 30 days" in capfd.readouterr().err
    assert Records(clips).works() == []
