"""The commands of the README work as they are written."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.models.original_networks import original_weights
from vidstyle.cli.main import run_command
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [
    match[1].split("#")[0].strip()
    for match in re.finditer(r"^    (?:\.venv/bin/)?vidstyle (.+)$", README, re.MULTILINE)
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample clip, as far as it is needed: eight of its 145 frames, at half the size."""
    path = tmp_path_factory.mktemp("clip") / "input.mp4"
    run = ["run", "identity", str(ROOT / "samples" / "demo.mp4"), "-o", str(path), "--size", "50%"]
    assert run_command([*run, "--set", "encode.codec=libx264", "--frames", "0:8"]) == 0
    return path


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: Path) -> Path:
    """A folder with the names that the README uses."""
    monkeypatch.chdir(tmp_path)
    for name in ("pipelines", "plugins"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "clips").mkdir()
    for name in ("input.mp4", "clips/a.mp4", "original.mp4", "other.mp4"):
        shutil.copy(clip, name)
    (tmp_path / "samples").mkdir()
    shutil.copy("input.mp4", "samples/demo.mp4")
    shutil.copy("pipelines/per-frame.yaml", "my.yaml")
    # What training would have made.
    shipped = ROOT / "vidstyle" / "assets" / "styles" / "great-wave.safetensors"
    shutil.copy(shipped, "my-style.safetensors")
    photo = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    cv2.imwrite("photo.jpg", photo)
    torch.save(original_weights(), "candy.pth")
    return tmp_path


def test_the_readme_has_the_commands_that_it_should() -> None:
    starts = {command.split()[0] for command in COMMANDS}
    assert starts == {
        "run",
        "image",
        "batch",
        "check",
        "compare",
        "evaluate",
        "bench",
        "stabilize",
        "stages",
        "styles",
        "weights",
        "app",
        "schema",
    }


# Those take weights that are downloaded, or do not end: their own tests run them.
ELSEWHERE = re.compile("styles train|image |app|weights pull|.*--style image.jpg")


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in COMMANDS if not ELSEWHERE.match(c)])
def test_commands_of_the_readme_run(
    workshop: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if command.startswith(("compare", "evaluate")):
        # What the commands above it made.
        for name in ("stylized.mp4", "per-frame.mp4"):
            shutil.copy("input.mp4", name)
    assert run_command(shlex.split(command)) == 0, capfd.readouterr().err


def test_pipelines_in_the_readme_are_valid(tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "p.yaml").write_text(block)
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry())
    assert [entry.kind for entry in pipeline.stages][-2:] == ["blend", "encode"]


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)]+)\)", README))
def test_links_of_the_readme_lead_somewhere(target: str) -> None:
    path, _, heading = target.partition("#")
    assert (ROOT / path).exists()
    if heading:
        titles = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
        assert heading in {title.lower().replace(" ", "-") for title in titles}
