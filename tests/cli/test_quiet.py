"""``--quiet``: no progress and no results; notes, errors and answers stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vidstyle.cli.main import run_command

NOTE = "note: the file does not say how its colors are coded; bt601 is assumed\n"


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_a_quiet_run_prints_notes_alone(
    folder: Path, write_clip: Any, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    write_clip(folder / "in.mp4", count=3)
    command = ["run", "identity.yaml", "in.mp4", "-o", "out.mkv", option]
    assert run_command(command) == 0
    assert capfd.readouterr() == ("", NOTE)
    assert run_command(command) == 0
    assert capfd.readouterr() == ("", "")
    assert run_command([*command, "--frames", "0:9"]) == 6
    assert "pass --overwrite to replace it" in capfd.readouterr().err
    assert run_command([*command, "--frames", "0:9", "--overwrite"]) == 0
    assert capfd.readouterr().err == f"{NOTE}note: --frames ends at 9, but the input has 3 frames\n"
    # It counts for its own command.
    assert run_command(["run", "identity.yaml", "in.mp4", "-o", "again.mkv"]) == 0
    assert "wrote again.mkv" in capfd.readouterr().err


def test_a_quiet_batch_prints_what_fails(
    folder: Path, write_clip: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "clips" / "a.mp4", count=3)
    command = ["batch", "identity.yaml", "clips", "-o", "out", "-q"]
    assert run_command(command) == 0
    assert capfd.readouterr() == ("", f"a.mp4: {NOTE}")
    (folder / "clips" / "b.mp4").write_bytes(b"no clip")
    assert run_command(command) == 7
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "b.mp4: failed" in lines[0]
    assert lines[1].startswith("vidstyle: 1 of 2 clips failed")


def test_other_commands_are_quiet_too(
    folder: Path, write_clip: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=3)
    assert run_command(["run", "identity.yaml", "in.mp4", "-o", "out.mkv", "-q"]) == 0
    for command in (
        ["compare", "in.mp4", "out.mkv", "-o", "page.html"],
        ["replay", "out.mkv"],
        ["stabilize", "in.mp4", "out.mkv", "-o", "stable.mkv"],
        ["evaluate", "in.mp4", "out.mkv", "-o", "scores.json"],
    ):
        assert run_command([*command, "--quiet"]) == 0, command
        printed = capfd.readouterr()
        assert [line for line in printed.err.splitlines() if "note:" not in line] == [], command
    # Without a file for the scores, they are what is asked for.
    assert run_command(["evaluate", "in.mp4", "out.mkv", "-q"]) == 0
    assert "warping" in capfd.readouterr().err
