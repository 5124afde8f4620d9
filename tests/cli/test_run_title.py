"""A run says which pipeline and style it has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli.main import run_command
from vidstyle.cli.run_title import run_title
from vidstyle.models.style.styles import find_style
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.shipped import shipped_pipelines


@pytest.mark.parametrize(
    ("style", "title"),
    [
        ("great-wave", "temporal, style great-wave"),
        ("folder/my-style.safetensors", "temporal, style my-style"),
        ("images/waves.jpg", "temporal, style waves.jpg"),
        ("{mosaic: 1}", "temporal, style mosaic"),
        ("{great-wave: 0.7, mosaic: 0.3}", "temporal, style great-wave 0.7 and mosaic 0.3"),
        ("[a.jpg, b/c.jpg]", "temporal, style a.jpg and c.jpg"),
        ("{at: {0s: great-wave, 2s: mosaic}}", "temporal, style great-wave, then mosaic"),
    ],
)
def test_a_style_is_named(style: str, title: str, folder: Path) -> None:
    (folder / "folder").mkdir()
    shutil.copy(find_style("mosaic"), folder / "folder" / "my-style.safetensors")
    pipeline = load_pipeline(
        shipped_pipelines()["temporal"],
        registry=Registry(),
        overrides=[f"stylize.style={style}"],
    )
    assert run_title(pipeline) == title


def test_a_pipeline_without_a_style_is_named_alone(folder: Path) -> None:
    assert run_title(load_pipeline(folder / "identity.yaml", registry=Registry())) == "identity"


def test_a_run_begins_with_it(
    folder: Path, write_clip: WriteClip, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = str(write_clip(folder / "in.mp4", count=2))
    assert run_command(["run", "identity.yaml", clip, "-o", "out.mkv"]) == 0
    assert "identity" in capfd.readouterr().err.splitlines()
    other = str(write_clip(folder / "b.mp4", count=2))
    assert run_command(["run", "identity.yaml", clip, other, "-o", "out"]) == 0
    assert "identity: 2 clips" in capfd.readouterr().err.splitlines()
    # Nothing begins here.
    assert run_command(["run", "identity.yaml", clip, "-o", "out.mkv"]) == 0
    assert "identity" not in capfd.readouterr().err.splitlines()
    for silent in (["--json"], ["--quiet"], ["--dry-run"]):
        assert run_command(["run", "identity.yaml", clip, "-o", "new.mkv", *silent]) == 0
        assert "identity" not in capfd.readouterr().err.splitlines()
