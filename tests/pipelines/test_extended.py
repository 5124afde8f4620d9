"""A pipeline of somebody's own on top of one that ships: plugin, side input and style beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipelines.test_jobs import COUNT, HEIGHT, LOSSLESS, WIDTH, images, write_clip
from vidstyle.cli.main import run_command
from vidstyle.models.style.styles import find_style

RED = '''
from vidstyle.core import NOW, BaseStage, Needs, StageOptions, layer_or_file


class Options(StageOptions):
    where: str | None = layer_or_file(description="Where.")


class Red(BaseStage[Options]):
    """Reddens where a mask is white."""

    Options = Options

    def __init__(self, options):
        super().__init__(options)
        self.needs = Needs(reads={"image": NOW, options.where: NOW}, writes=("image",))

    def step(self, window, state):
        image = window.now.host("image").copy()
        image[window.now.host(self.options.where) > 0.5] = (1, 0, 0)
        return {"image": image}, state


STAGE = Red
'''
BASE = """\
version: 1
extends: temporal
inputs: {where: left.png}
add:
  - after: blend
    stages: [{use: filter/red, where: where}]
set: {stylize.style: mine.safetensors}
"""
CHILD = """\
version: 1
extends: base.yaml
add:
  - before: red
    stages: [use: filter/keep-colors]
set: {keep-colors.strength: 0, encode.crf: 20}
"""
PLUGGED = ["--plugins", "project/stages"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Beside the current folder's clips."""
    monkeypatch.chdir(tmp_path)
    stages = tmp_path / "project" / "stages" / "filter"
    stages.mkdir(parents=True)
    (stages / "red.py").write_text(RED)
    (tmp_path / "project" / "base.yaml").write_text(BASE)
    (tmp_path / "project" / "child.yaml").write_text(CHILD)
    shutil.copy(find_style("mosaic"), tmp_path / "project" / "mine.safetensors")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : WIDTH // 2] = 255
    cv2.imwrite(str(tmp_path / "project" / "left.png"), mask)
    write_clip(tmp_path / "in.mp4")
    (tmp_path / "clips").mkdir()
    return tmp_path / "project"


@pytest.mark.slow
def test_it_runs_from_anywhere_and_again_from_its_manifest(project: Path) -> None:
    own = ["run", "project/child.yaml", "in.mp4", "-o", "out.mkv", *PLUGGED, *LOSSLESS]
    assert run_command(own) == 0
    style = ["--style", "mosaic"]
    assert run_command(["run", "temporal", "in.mp4", "-o", "wanted.mkv", *style, *LOSSLESS]) == 0
    ours, wanted = images("out.mkv"), images("wanted.mkv")
    assert len(ours) == COUNT
    np.testing.assert_array_equal(ours[:, :, WIDTH // 2 :], wanted[:, :, WIDTH // 2 :])
    assert (ours[:, :, : WIDTH // 2] == (1, 0, 0)).all()
    assert run_command(["replay", "out.mkv", *PLUGGED]) == 0


@pytest.mark.slow
def test_processes_of_a_batch_know_what_it_extends(project: Path) -> None:
    for name in ("clips/a.mp4", "clips/b.mp4"):
        shutil.copy("in.mp4", name)
    batch = ["batch", "project/child.yaml", "clips", "-o", "out", *PLUGGED, "--jobs", "2"]
    assert run_command(batch) == 0
    for name in ("out/a.mp4", "out/b.mp4"):
        reds = images(name)[:, :, : WIDTH // 4]
        assert np.abs(reds - (1, 0, 0)).mean() < 0.05


@pytest.mark.slow
def test_a_mask_of_the_shape_of_the_clips_is_checked_with_each_clip(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["check", "project/child.yaml", *PLUGGED]) == 0
    write_clip(Path("clips/square.mp4"), width=128, height=128, count=2)
    batch = ["batch", "project/child.yaml", "clips", "-o", "out", *PLUGGED]
    assert run_command(batch) == 7
    assert "is 160x128, another shape than the clip's 128x128" in capfd.readouterr().err


def test_a_stage_that_is_not_there_is_named_where_it_is_added(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["check", "project/child.yaml", "in.mp4"]) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("vidstyle: project/base.yaml:6:20: there is no stage filter/red.")
    assert line.endswith("with --plugins.")
