"""A replay makes an output again from its manifest, and says what is not as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import vidstyle
from tests.cli.stamp_calls import CHUNKS, batch, packets, run
from vidstyle.cli.main import run_command


def test_a_replay_makes_the_output_again(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    keyed = ("--set", "blend.strength={at: {0s: 0.2, 1s: 0.9}}", "--frames", "1:7")
    assert run(*keyed) == 0
    made = packets(clips / "a.mp4")
    # Neither the pipeline's file nor its overrides are needed.
    (clips / "p.yaml").unlink()
    capfd.readouterr()
    assert run_command(["replay", "a.mp4"]) == 0
    assert "equal: all 6 frames are those of a.mp4" in capfd.readouterr().err
    assert packets(clips / "a-replay.mp4") == made
    assert run_command(["replay", "a.mp4"]) == 6
    (clips / "a.mp4").unlink()
    assert run_command(["replay", "a.mp4"]) == 0
    assert packets(clips / "a.mp4") == made
    assert run_command(["replay", "a-replay.mp4", "-o", "b.mp4"]) == 0


@pytest.mark.parametrize("name", ["one.png", "one.jpg", "frames/"])
def test_images_are_compared_with_those_made_again(
    clips: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    assert run_command(["run", "p.yaml", "clips/a.mp4", "-o", name, "--frames", "4:5"]) == 0
    capfd.readouterr()
    assert run_command(["replay", name]) == 0
    assert "equal: all 1 frames are those of" in capfd.readouterr().err
    made = clips / name
    file = made / "000000.png" if made.is_dir() else made
    file.write_bytes(file.read_bytes() + b"more")
    assert run_command(["replay", name, "-o", f"again-{name}"]) == 6


def test_a_replay_of_long_shots_in_parts_is_equal(
    clips: Path, write_clip: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(clips / "clips" / "a.mp4", count=40)
    assert run("--split-shots", "20") == 2
    assert "--split-shots 20: wanted at least 33" in capfd.readouterr().err
    assert batch("--split-shots", "20") == 2
    assert run("--split-shots", "34", "--dry-run") == 0
    assert "Shots are cut after each 34 frames." in capfd.readouterr().out
    assert run("--split-shots", "34") == 0
    assert "note: long shots were cut before frame 34" in capfd.readouterr().err
    assert run() == 6
    assert "--split-shots was 34, is none" in capfd.readouterr().err
    assert run_command(["replay", "a.mp4"]) == 0
    assert "equal: all 40 frames are those of a.mp4" in capfd.readouterr().err
    assert batch("--split-shots", "34") == 0
    assert packets(clips / "out" / "a.mp4") == packets(clips / "a.mp4")


def test_a_replay_says_what_is_not_as_it_was(
    clips: Path, write_clip: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    record = clips / ".vidstyle" / "a.mp4.json"
    entry = json.loads(record.read_text())
    entry["version"], entry["machine"]["av"] = "0.0.0", "1"
    record.write_text(json.dumps(entry))
    write_clip(clips / "clips" / "a.mp4", count=9, cut=2)
    capfd.readouterr()
    assert run_command(["replay", "a.mp4"]) == 6
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "not as it was: the source was changed"
    assert lines[1] == f"not as it was: vidstyle was 0.0.0, is {vidstyle.__version__}"
    assert lines[2].startswith("not as it was: av was 1, is ")
    assert lines[-1] == (
        "vidstyle: a-replay.mp4 is not equal to a.mp4: the frames differ;"
        " what is not as it was is listed above"
    )
    (clips / "clips" / "a.mp4").unlink()
    assert run_command(["replay", "a.mp4", "--overwrite"]) == 3
    assert run_command(["replay", "nothing.mp4"]) == 3


def test_a_replay_loads_no_code_that_nobody_named(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = clips / "plugins" / "filter" / "own.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(
        "from pathlib import Path\nfrom vidstyle.core import HostArray, image_filter\n"
        "Path('loaded').touch()\n\n@image_filter\ndef own(image: HostArray) -> HostArray:\n"
        "    return 1 - image\n\nSTAGE = own\n"
    )
    text = CHUNKS.replace("  - use: encode", "  - use: filter/own\n  - use: encode")
    (clips / "p.yaml").write_text(text)
    assert run("--plugins", "plugins") == 0
    (clips / "loaded").unlink()
    script = [sys.executable, "-m", "vidstyle", "replay", "a.mp4"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"--plugins {clips / 'plugins'}" in done.stderr
    assert not (clips / "loaded").exists()
    capfd.readouterr()
    assert run_command(["replay", "a.mp4", "--plugins", "plugins"]) == 0
    # The code of a plugin is a part of the stamp.
    plugin.write_text(plugin.read_text().replace("1 - image", "image"))
    (clips / "a-replay.mp4").unlink()
    script += ["--plugins", "plugins"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 6
    assert "not as it was: the code of filter was changed" in done.stderr
