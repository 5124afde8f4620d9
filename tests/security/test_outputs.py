"""An output is the named file, whole or not at all; no option names another one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vidstyle.cli.main import run_command
from vidstyle.stages.encode.encoder import EncodeOptions
from vidstyle.stages.encode.images import ImageOptions

ELSEWHERE = ("../%d.png", "/tmp/%d.png", "a/%d.png", ".%d.png", "%d.png\nx", "a:%d.png", "text")
TOO_LONG = "b" * 251 + ".mkv"


def free_text(schema: Any) -> Iterator[Any]:
    """Parts of a JSON Schema that take any text, or names of files elsewhere."""
    if isinstance(schema, dict):
        if schema.get("type") == "string" and "enum" not in schema and "const" not in schema:
            pattern = schema.get("pattern", "")
            if not pattern or any(re.search(pattern, name) for name in ELSEWHERE):
                yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from free_text(part)


@pytest.mark.parametrize("options", [EncodeOptions, ImageOptions])
def test_no_option_of_an_encoder_takes_free_text(options: Any) -> None:
    schema = options.model_json_schema()
    assert schema["properties"]
    assert schema["additionalProperties"] is False
    assert list(free_text(schema)) == []


@pytest.mark.parametrize(
    "change", ["options={x265-params: csv=/tmp/x}", "x264-params=stats=x", "codec=libx264:stats=x"]
)
def test_parameters_of_encoders_do_not_pass(folder: Path, change: str) -> None:
    command = ["run", "p.yaml", "in.mp4", "-o", "out.mkv", "--set", f"encode.{change}"]
    assert run_command(command) == 2
    assert {path.name for path in folder.iterdir()} == {"p.yaml", "in.mp4"}


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("/dev/null", 6),
        ("/dev/full", 6),
        ("pipe.mkv", 6),
        ("loop.mkv", 6),
        ("gone/out.mkv", 6),
        ("in.mp4/out.mkv", 6),
        ("/proc/out.mkv", 6),
        (TOO_LONG, 6),
        ("http://127.0.0.1/out.mkv", 6),
        ("in.mp4", 2),
        ("link.mp4", 2),
        ("out", 2),
        ("out.exe", 2),
    ],
)
def test_an_output_that_cannot_be_is_refused_and_nothing_is_made(
    folder: Path, capfd: pytest.CaptureFixture[str], output: str, code: int
) -> None:
    os.mkfifo(folder / "pipe.mkv")
    (folder / "loop.mkv").symlink_to("loop.mkv")
    (folder / "link.mp4").symlink_to("in.mp4")
    before = {path: path.lstat().st_mtime_ns for path in folder.iterdir()}
    assert run_command(["run", "p.yaml", "in.mp4", "--overwrite", "-o", output]) == code
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert {path: path.lstat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "name", ["out%03d.mkv", "file:out.mkv", "pipe:1.mkv", "tcp:x.mkv", "a|b.mkv", "two\nlines.mkv"]
)
def test_a_strange_output_is_a_plain_name(
    folder: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    assert run_command(["run", "p.yaml", "in.mp4", "-o", name]) == 0
    assert {path.name for path in folder.iterdir()} == {"p.yaml", "in.mp4", name, ".vidstyle"}
    assert [path.name for path in (folder / ".vidstyle").iterdir()] == [f"{name}.json"]
    assert capfd.readouterr().out == ""


def test_a_folder_of_somebody_elses_files_is_not_replaced(folder: Path) -> None:
    (folder / "p.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n  - use: encode/images\n"
    )
    (folder / "out").mkdir()
    (folder / "out" / "mine.txt").write_text("mine")
    assert run_command(["run", "p.yaml", "in.mp4", "-o", "out", "--overwrite"]) == 6
    assert [path.name for path in (folder / "out").iterdir()] == ["mine.txt"]
