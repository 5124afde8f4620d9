"""What ``docs/pipeline-files.md`` shows is so: examples load, commands run, errors read so."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.runner.config.test_schema import valid
from vidstyle.cli.main import run_command
from vidstyle.core.layers import CHANNELS, CUT
from vidstyle.runner.config import yaml_file
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.config.pipeline_file import CHUNK, KEYS, MOST_QUEUE
from vidstyle.runner.config.schema import pipeline_schema
from vidstyle.runner.config.yaml_file import read_yaml
from vidstyle.runner.config.yaml_values import to_plain

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pipeline-files.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = [
    (title, text)
    for title, section in SECTIONS.items()
    for text in re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
]
WRONG = re.findall(
    r"^```yaml wrong\n(.*?)^```\n\n```text\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL
)
COMMANDS = re.findall(r"^    vidstyle (.+)$", PAGE, re.MULTILINE)


def whole(text: str) -> str:
    """A part of a file with what is around it."""
    if text.startswith("- use: "):
        indented = "".join(f"  {line}\n" for line in text.splitlines())
        return f"version: 1\nstages:\n  - use: decode/pyav\n{indented}  - use: encode/pyav\n"
    return text if "version:" in text else f"version: 1\nextends: temporal\n{text}"


def load(folder: Path, text: str) -> Pipeline:
    (folder / "my.yaml").write_text(whole(text))
    return load_pipeline(folder / "my.yaml", registry=Registry())


@pytest.mark.parametrize(("title", "text"), EXAMPLES)
def test_an_example_loads_and_fits_the_schema(title: str, text: str, tmp_path: Path) -> None:
    assert load(tmp_path, text).stages, title
    schema = pipeline_schema(Registry())
    assert valid(to_plain(read_yaml(tmp_path / "my.yaml")), schema, schema)


def example(title: str, number: int = 0) -> str:
    return [text for section, text in EXAMPLES if section == title][number]


def test_stages_have_the_names_that_the_page_says(tmp_path: Path) -> None:
    names = [stage.name for stage in load(tmp_path, example("Stages")).stages]
    assert names == ["decode", "stylize", "filter-1", "colors", "encode"]
    extended = load(tmp_path, example("Extend another pipeline"))
    assert [stage.name for stage in extended.stages] == [
        *("decode", "scale", "shots", "flow", "stylize", "blend", "repair", "colors", "encode")
    ]
    options = {stage.name: stage.options.model_dump() for stage in extended.stages}
    assert options["colors"]["strength"] == 0.5
    assert options["encode"]["crf"] is None


def test_side_inputs_and_files_in_options_become_layers(tmp_path: Path) -> None:
    for number, names in ((0, ["face"]), (1, ["grain"]), (2, ["stylize.mask"])):
        pipeline = load(tmp_path, example("Side inputs", number))
        assert [side.name for side in pipeline.inputs] == names
        assert all(side.path.parent == tmp_path for side in pipeline.inputs)


def test_times_are_read_as_the_page_says(tmp_path: Path) -> None:
    stage = load(tmp_path, example("Options that change over time")).stages[1]
    times = {name: [float(at) for at, _ in keys.points] for name, keys in stage.keyframes.items()}
    assert times == {"style": [0, 4, 90], "strength": [0, 1.5, 2.5]}


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_an_error_reads_as_on_the_page(
    text: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text(text)
    assert run_command(["check", "my.yaml"]) == 2
    lines = capfd.readouterr().err.splitlines()
    for line, wanted in zip(lines, message.splitlines(), strict=True):
        assert line.startswith(f"vidstyle: {wanted}")


def test_all_keys_and_limits_are_on_the_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", SECTIONS["Keys"], re.MULTILINE)
    assert {key for key, _ in rows} == set(KEYS)
    table = dict(rows)
    assert f"{{least: {CHUNK[0]}, most: {CHUNK[1]}}}" in table["chunk"]
    assert f"1 to {MOST_QUEUE}." in table["queue"]
    limits = SECTIONS["Files from strangers"]
    assert f"{yaml_file.MAX_BYTES // 1024} KiB" in limits
    assert f"{yaml_file.MAX_DEPTH} levels" in limits
    assert f"{yaml_file.MAX_NODES:,} values" in limits


def test_all_layers_are_on_the_page() -> None:
    cells = re.findall(r"^\| (`[^|]+) \|", SECTIONS["Stages"], re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == {*CHANNELS, CUT}


def test_links_lead_somewhere() -> None:
    assert WRONG
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, heading = target.partition("#")
        assert (ROOT / "docs" / path).exists()
        if heading:
            assert heading in {title.lower().replace(" ", "-") for title in SECTIONS}
    for title in SECTIONS:
        assert f"[{title}](#{title.lower().replace(' ', '-')})" in PAGE


@pytest.mark.slow
def test_the_commands_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sample = str(ROOT / "samples" / "demo.mp4")
    lossy = ["--codec", "libx264", "--frames", "0:4"]
    assert run_command(["run", "identity", sample, "-o", "input.mp4", *lossy]) == 0
    shutil.copy("input.mp4", "face.mp4")
    cv2.imwrite("face.png", np.full((360, 640), 255, np.uint8))
    assert len(COMMANDS) > 8
    for command in COMMANDS:
        line, _, file = command.partition(" > ")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert run_command(shlex.split(line)) == 0, f"{line}\n{capfd.readouterr().err}"
        if file:
            Path(file).write_text(printed.getvalue())
