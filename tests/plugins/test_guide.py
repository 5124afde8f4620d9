"""What the guide shows is what happens: its blocks are run as they stand."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidstyle.core import Frame, Window
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import options_at
from vidstyle.runner.config.pipeline import load_pipeline

GUIDE = (Path(__file__).parents[2] / "plugins" / "README.md").read_text()
# Named before each block of Python, but for the last, which is no file.
FILES = re.findall(r"Write this to\s+`(\S+)`", GUIDE)
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def block(language: str, number: int = 0) -> str:
    return [text for kind, text in BLOCKS if kind == language][number]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder with the files that the guide shows."""
    files = dict(zip(FILES, [text for kind, text in BLOCKS if kind == "python"], strict=False))
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "my_stages"


def test_the_filter_does_what_it_says(folder: Path) -> None:
    cls = Registry([folder]).find("filter/posterize")
    options = cls.Options(levels=3)
    frame = Frame(0, 0, 1, {"image": np.array([[[0.1, 0.4, 0.9]]], np.float32)})
    layers, _ = cls(options).step(Window(frame, options), None)
    np.testing.assert_array_equal(layers["image"], [[[0, 0.5, 1]]])


def test_the_pipeline_is_valid(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(block("yaml"))
    pipeline = load_pipeline(path, registry=Registry([folder]))
    assert [entry.use for entry in pipeline.stages] == [
        "decode/pyav",
        "filter/posterize",
        "encode/pyav",
    ]
    assert pipeline.stages[1].options.model_dump() == {"levels": 4}


def test_the_keyframed_option_changes_over_time(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(block("yaml", 1))
    entry = load_pipeline(path, registry=Registry([folder])).stages[1]
    options = options_at(entry.options, entry.keyframes, Fraction(1, 2))
    frame = Frame(0, 0, 1, {"image": np.ones((1, 1, 3), np.float32)})
    layers, _ = entry.cls(options).step(Window(frame, options), None)
    np.testing.assert_array_equal(layers["image"], [[[0.75, 0.75, 0.75]]])


def test_the_test_it_shows_passes(folder: Path) -> None:
    assert (folder / "filter" / "test_posterize.py").is_file()
    (command,) = re.findall(r"^    python (-m pytest .*)$", GUIDE, re.MULTILINE)
    out = python(folder.parent, shlex.split(command))
    assert re.search(r"\b\d\d passed", out)


def test_the_checks_print_a_table(folder: Path) -> None:
    out = python(folder.parent, ["-c", block("python", len(FILES))])
    assert re.search(r"^one_frame_clip_works +passed$", out, re.MULTILINE)
    assert re.search(r"^All checks passed \(\d\d\)\.$", out, re.MULTILINE)


def python(folder: Path, arguments: list[str]) -> str:
    """What it prints in a process of its own, as for a reader of the guide."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_in_its_table() -> None:
    folder = Path(__file__).parents[2] / "plugins"
    for path in folder.glob("*/*.py"):
        assert f"`{path.relative_to(folder)}`" in GUIDE
