"""The plan as a user reads it in a window of 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli.main import run_command


@pytest.fixture
def lines(
    folder: Path,
    write_clip: WriteClip,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> list[str]:
    """What ``check`` prints for a pipeline, by default one that blends."""
    monkeypatch.setenv("COLUMNS", "80")
    write_clip(folder / "in.mp4", count=4)
    assert run_command(["check", getattr(request, "param", "temporal"), "in.mp4"]) == 0
    return capfd.readouterr().out.splitlines()


def test_time_and_memory_come_first(lines: list[str]) -> None:
    assert lines[0].startswith("About ")
    assert lines[0].endswith(" (estimated from 4 frames).")
    assert lines[1].startswith("Needs at most ")
    assert lines[2] == "Clip: 160x128, 25 fps, 4 frames, bt601 (guessed) limited, 8 bit"


def test_no_cell_is_torn_and_its_signs_are_explained(lines: list[str]) -> None:
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert {"source(-1)", "source(-1,+1),", "flow_from_previous(+1)"} <= set(words)
    legend = "In reads: (-N) also the N frames before, (+N) also the N frames after."
    assert legend in lines


@pytest.mark.parametrize("lines", ["per-frame"], indirect=True)
def test_without_reach_there_is_nothing_to_explain(lines: list[str]) -> None:
    assert not any(line.startswith("In reads") for line in lines)


def test_a_device_that_all_stages_share_is_one_line(lines: list[str]) -> None:
    assert sum(line.startswith("Every stage runs on cpu with ") for line in lines) == 1
