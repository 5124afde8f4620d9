"""The commands and the pipeline of ``docs/compare.md`` work as they are written."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.docs.ramp_clip import write_ramp
from vidstyle.cli.main import run_command
from vidstyle.imaging.layouts import LAYOUTS
from vidstyle.stages.encode.image_format import IMAGE_FORMATS

TEXT = (Path(__file__).parents[2] / "docs" / "compare.md").read_text()
COMMANDS = re.findall(r"(?:^    |`)vidstyle (.+?)(?:`|$)", TEXT, re.MULTILINE)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_ramp("source.mp4", width=160, height=96)
    shutil.copy("source.mp4", "stylized.mp4")
    cv2.imwrite("style.jpg", np.full((50, 50, 3), 90, np.uint8))
    return tmp_path


def test_it_has_commands() -> None:
    assert len(COMMANDS) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run(workshop: Path, command: str) -> None:
    assert run_command(shlex.split(command)) == 0


def test_its_pipeline_runs(workshop: Path) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (workshop / "p.yaml").write_text(block)
    assert run_command(["run", "p.yaml", "source.mp4", "-o", "out.mp4"]) == 0


def test_it_names_every_layout_and_kind_of_file() -> None:
    for name in (*LAYOUTS, *IMAGE_FORMATS, ".html"):
        if name not in (".jpeg", ".tif"):
            assert f"`{name}`" in TEXT
