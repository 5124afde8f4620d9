"""Pipelines that ship are listed, and run by name; the wheel carries them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli.main import run_command
from vidstyle.runner.config.shipped import shipped_pipelines

ROOT = Path(__file__).parents[2]


def test_they_are_listed_with_their_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["pipelines", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"]: Path(row["file"]) for row in rows} == shipped_pipelines()
    assert run_command(["pipelines", "list"]) == 0
    assert "Stylizes every frame by itself" in capsys.readouterr().out


def test_each_is_one_line_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run_command(["pipelines", "list"]) == 0
    [_, *lines] = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[: len(shipped_pipelines())]]
    assert names == list(shipped_pipelines())


def test_one_runs_by_its_name(
    folder: Path, write_clip: WriteClip, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=3)
    # Another identity.yaml lies in the current folder; a bare name is not it.
    (folder / "identity.yaml").write_text("no pipeline")
    assert run_command(["run", "identity", "in.mp4", "-o", "out.mkv"]) == 0
    assert (folder / "out.mkv").is_file()
    assert run_command(["check", "identty"]) == 2
    assert "Did you mean identity?" in capsys.readouterr().err


@pytest.mark.slow
def test_the_wheel_carries_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    carried = {name for name in ZipFile(wheel).namelist() if name.endswith(".yaml")}
    assert carried == {f"vidstyle/pipelines/{path.name}" for path in shipped_pipelines().values()}
