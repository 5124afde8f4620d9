"""The commands of ``docs/photos.md`` work as they are written, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.docs.ramp_clip import write_ramp
from vidstyle.cli.main import run_command
from vidstyle.stages.encode.containers import CONTAINERS
from vidstyle.stages.encode.image_format import IMAGE_FORMATS

TEXT = (Path(__file__).parents[2] / "docs" / "photos.md").read_text()
COMMANDS = re.findall(r"^    vidstyle (.+)$", TEXT, re.MULTILINE)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_ramp("input.mp4")
    (tmp_path / "photos").mkdir()
    for name, size in (("photo.jpg", 48), ("photos/a.jpg", 48), ("photos/b.png", 64)):
        image = np.random.default_rng(size).integers(0, 256, (48, size, 3), np.uint8)
        cv2.imwrite(name, image)
    return tmp_path


@pytest.mark.slow
def test_commands_of_the_page_run(workshop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(COMMANDS) >= 14
    for command in COMMANDS:
        assert run_command(shlex.split(command)) == 0, (command, capfd.readouterr().err)
        words = shlex.split(command)
        if "-o" in words and "%" not in command:
            assert (workshop / words[words.index("-o") + 1]).exists(), command
    assert len(list((workshop / "jpegs").glob("wave-*.jpg"))) == 10
    assert (workshop / "out" / "a.jpg").exists()
    assert {"photo.jpg", "b.png", "input.mp4"} <= {
        path.name for path in (workshop / "out-3").iterdir()
    }


def test_the_page_lists_the_suffixes_that_there_are() -> None:
    named = set(re.findall(r"\.[a-z0-9]{3,4}\b", " ".join(re.findall(r"^\| `.*$", TEXT, re.M))))
    assert {suffix for suffix in CONTAINERS if suffix != ".m4v"} <= named
    assert set(IMAGE_FORMATS) - {".jpeg", ".tif"} <= named
