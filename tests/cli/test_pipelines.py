"""Pipelines that ship are listed, and run by name; the wheel carries them, and the samples."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.app.samples import sample_clips, sample_photos, sample_style_images
from vidstyle.cli.main import run_command
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.shipped import shipped_pipelines

ROOT = Path(__file__).parents[2]


def test_they_are_listed_with_their_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["pipelines", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"]: Path(row["file"]) for row in rows} == shipped_pipelines()
    assert run_command(["pipelines", "list"]) == 0
    assert "Stylizes every frame by itself" in capsys.readouterr().out


@pytest.mark.parametrize("name", shipped_pipelines())
def test_one_is_printed_as_it_is_and_is_a_pipeline_anywhere(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["pipelines", "show", name]) == 0
    text = capsys.readouterr().out
    assert text == shipped_pipelines()[name].read_text()
    (folder / "my.yaml").write_text(text)
    copy = load_pipeline(folder / "my.yaml", registry=Registry())
    original = load_pipeline(shipped_pipelines()[name], registry=Registry())
    assert [stage.options for stage in copy.stages] == [stage.options for stage in original.stages]


def test_one_that_is_not_there_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, says in (("temporl", "Did you mean temporal?"), ("identity.yaml", "Shipped: ")):
        assert run_command(["pipelines", "show", name]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(f"vidstyle: there is no pipeline {name}.")
        assert says in line


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
    names = ZipFile(wheel).namelist()
    carried = {name for name in names if name.endswith(".yaml")}
    assert carried == {f"vidstyle/pipelines/{path.name}" for path in shipped_pipelines().values()}
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    package = tmp_path / "installed" / "vidstyle"
    for samples in (sample_photos, sample_style_images, sample_clips):
        assert samples(package).keys() == samples().keys()
        assert all(path.is_relative_to(package) for path in samples(package).values())
    assert not sample_clips(tmp_path / "nothing")
