"""``vidstyle compare``: a page, or one line about why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli.main import run_command


@pytest.fixture
def clips(folder: Path, write_clip: WriteClip) -> Path:
    write_clip(folder / "a.mp4", count=6)
    write_clip(folder / "b.mp4", count=6)
    return folder


def test_a_page_is_written_and_its_frames_counted(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["compare", "a.mp4", "b.mp4", "-o", "page.html"]) == 0
    assert capsys.readouterr().err == "wrote page.html: 6 frames\n"
    assert (clips / "page.html").read_text().count("<video") == 2
    command = ["compare", "a.mp4", "b.mp4", "-o", "other.html", "--frames", "1:4", "--json"]
    assert run_command(command) == 0
    assert json.loads(capsys.readouterr().out) == {
        "event": "done",
        "output": "other.html",
        "frames": 3,
    }


def test_a_clip_is_never_overwritten(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (clips / "a.mp4").read_bytes()
    assert run_command(["compare", "a.mp4", "b.mp4", "-o", "a.mp4", "--overwrite"]) == 2
    assert "input itself" in capsys.readouterr().err
    assert (clips / "a.mp4").read_bytes() == before


def test_a_missing_clip_is_one_line(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["compare", "a.mp4", "none.mp4", "-o", "page.html"]) == 3
    assert capsys.readouterr().err == "vidstyle: none.mp4: no such file\n"
