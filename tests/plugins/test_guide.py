"""What the guide shows is what happens: its blocks are run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core import Frame, Window
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline

GUIDE = (Path(__file__).parents[2] / "plugins" / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def block(language: str, number: int = 0) -> str:
    return [text for kind, text in BLOCKS if kind == language][number]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the guide's first block is written to."""
    path = tmp_path / "my_stages" / "filter" / "posterize.py"
    path.parent.mkdir(parents=True)
    path.write_text(block("python"))
    return path.parents[1]


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


def test_the_test_it_shows_passes(folder: Path) -> None:
    names: dict[str, Any] = {"STAGE": Registry([folder]).find("filter/posterize")}
    exec(block("python", 1), names)
    (mark,) = names["test_posterize_keeps_the_contract"].pytestmark
    assert len(mark.args[1]) > 10
    for name, check in mark.args[1]:
        names["test_posterize_keeps_the_contract"](name, check)


def test_every_example_is_in_its_table() -> None:
    folder = Path(__file__).parents[2] / "plugins"
    for path in folder.glob("*/*.py"):
        assert f"`{path.relative_to(folder)}`" in GUIDE
