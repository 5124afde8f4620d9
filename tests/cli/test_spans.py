"""Stages that work on spans, from the outside: both engines, disk, plugins, errors."""

from __future__ import annotations

import inspect
import json
import tempfile
import textwrap
from pathlib import Path

import pytest

from vidstyle.cli.main import run_command
from vidstyle.core import SpanStage

NEIGHBORS = """\
version: 1
chunk: {least: 6, most: 8}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
    directions: both
  - use: filter/repair
  - use: blend/neighbors
    strength: {at: {0s: 0.2, 0.5s: 0.6}}
    span: 5
  - use: encode/pyav
    codec: ffv1
"""
PLUGIN = """\
version: 1
stages:
  - use: decode/pyav
  - use: filter/even
  - use: encode/pyav
    codec: ffv1
"""


@pytest.fixture(autouse=True)
def clip(folder: Path, write_clip, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]  # a fixture
    """The file in.mp4: 16 frames, a cut at 9; and a stage that works on spans."""
    monkeypatch.setenv("VIDSTYLE_PLUGINS", str(Path(__file__).parents[1] / "span_plugins"))
    write_clip(folder / "in.mp4", count=16, cut=9)
    (folder / "p.yaml").write_text(NEIGHBORS)


def hashes(capfd: pytest.CaptureFixture[str], name: str, *more: str) -> list[str]:
    command = ["run", "p.yaml", "in.mp4", "-o", f"{name}.mkv", "--json", *more]
    assert run_command(command) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    return [line["hash"] for line in lines if line["event"] == "frame"]


def test_threads_give_the_serial_frames_hash_for_hash(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    serial = hashes(capfd, "serial", "--engine", "serial")
    assert len(set(serial)) == 16
    assert hashes(capfd, "threaded") == serial
    monkeypatch.setattr("vidstyle.runner.plan.wiring.SPAN_MEMORY", 0)
    assert hashes(capfd, "disk") == serial
    assert hashes(capfd, "off", "--set", "blend.strength=0") != serial


def test_a_temporary_folder_that_cannot_be_used_is_an_output_error(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("vidstyle.runner.plan.wiring.SPAN_MEMORY", 0)
        patched.setattr(tempfile, "tempdir", str(folder / "none"))
        assert run_command(["run", "p.yaml", "in.mp4", "-o", "out.mkv"]) == 6
    assert "name another folder in TMPDIR" in capfd.readouterr().err
    assert not (folder / "out.mkv").exists()


def test_flow_in_one_direction_is_refused_with_the_remedy(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "p.yaml").write_text(NEIGHBORS.replace("    directions: both\n", ""))
    assert run_command(["run", "p.yaml", "in.mp4", "-o", "out.mkv"]) == 2
    assert "flow/dis with `directions: both`" in " ".join(capfd.readouterr().err.split())


def test_the_documented_stage_runs_as_a_plugin(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = textwrap.dedent((inspect.getdoc(SpanStage) or "").split("::\n", 1)[1])
    plugin = folder / "plugins" / "filter" / "even.py"
    plugin.parent.mkdir(parents=True)
    head = "import numpy as np\nfrom vidstyle.core import *\n"
    plugin.write_text(f"{head}{text}\nSTAGE = EvenLight\n")
    (folder / "p.yaml").write_text(PLUGIN)
    more = ["--plugins", "plugins"]
    assert hashes(capfd, "a", *more) == hashes(capfd, "b", "--engine", "serial", *more)
    assert run_command(["check", "p.yaml", "in.mp4", *more]) == 0
    assert "filter/even" in capfd.readouterr().out
