"""A wrong call is one line that names what is wrong with it, and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli.main import run_command


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["image", "photo.jpg", "style.jpg"], "--output"),
        (["image", "photo.jpg"], "STYLE"),
        (["image", "photo.jpg", "style.jpg", "-o", "p.png", "--steps", "many"], "--steps"),
        (["run", "p.yaml", "in.mp4", "--engine", "steam"], "--engine"),
        (["run", "p.yaml", "in.mp4", "--cache-size", "much"], "--cache-size"),
        (["run", "p.yaml", "in.mp4", "--cache-size", "inf"], "--cache-size"),
        (["run", "p.yaml", "in.mp4", "--frames", "3"], "--frames"),
        (["weights", "pull"], "NAME"),
    ],
)
def test_a_wrong_call_names_the_option_or_argument(
    capfd: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert run_command(arguments) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert named in lines[0]
    assert "Value error" not in lines[0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "per-frame", "", "-o", "e.mp4"], "'INPUT...'"),
        (["run", "per-frame", "a.mp4", "-o", ""], "--output"),
        (["run", "per-frame", "a.mp4", "--output="], "--output"),
        (["run", "", "a.mp4"], "'PIPELINE'"),
        (["batch", "per-frame", "", "-o", "out"], "'FOLDER'"),
        (["batch", "per-frame", "clips", "-o", ""], "--output"),
        (["run", "per-frame", "a.mp4", "--plugins", ""], "--plugins"),
        (["clean", ""], "FOLDER"),
        (["compare", "a.mp4", "", "-o", "c.mp4"], "'A B...'"),
        (["stages", "show", ""], "the name is empty"),
    ],
)
def test_an_empty_name_is_not_the_current_folder(
    folder: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    before = list(folder.iterdir())
    assert run_command(arguments) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert line.endswith("the name is empty")
    assert named in line
    assert list(folder.iterdir()) == before


def test_bounds_are_words(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "per-frame", "a.mp4", "--preview", "0"]) == 2
    assert capfd.readouterr().err.endswith("'--preview': wanted 1 or more\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("command", [["styles", "list"], ["stages", "list"], ["schema"]])
def test_a_full_output_is_an_error_of_one_line_and_no_bug(command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vidstyle", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 6
    (line,) = done.stderr.splitlines()
    assert "cannot write to the standard output: No space left on device" in line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["run", "temporal", "in.mp4", "--stlye", "mosaic"],
            "No such option: --stlye. Did you mean --style?",
        ),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (["styles", "trian"], "No such command 'trian'. Did you mean 'train'?"),
        (["run", "temporal", "in.mp4", "--qqqq"], "No such option: --qqqq"),
    ],
)
def test_what_is_unknown_is_answered_with_what_is_near(
    capfd: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert run_command(arguments) == 2
    assert capfd.readouterr().err == f"vidstyle: {line}\n"


def test_each_fault_of_a_pipeline_is_a_line(
    capfd: pytest.CaptureFixture[str], folder: Path, write_clip: WriteClip
) -> None:
    write_clip(folder / "in.mp4", count=2)
    (folder / "p.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n    pixels: 3\n  - use: encode/pyav\n"
        "    codec: ffv1\n    crf: x\n"
    )
    assert run_command(["check", "p.yaml"]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert [line.split(" ")[:2] for line in lines] == [
        ["vidstyle:", "p.yaml:4:5:"],
        ["vidstyle:", "p.yaml:7:10:"],
    ]
    (folder / "p.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n  - use: blend/warped\n  - use: flow/dis\n"
        "  - use: encode/pyav\n    codec: ffv1\n"
    )
    for command in (["check", "p.yaml"], ["run", "p.yaml", "in.mp4", "-o", "out.mkv"]):
        assert run_command(command) == 2
        lines = [line for line in capfd.readouterr().err.splitlines() if "note" not in line]
        assert lines == [
            "vidstyle: p.yaml:4:10: stage blend reads the layers flow and visible, which no stage"
            " before it writes; put flow/dis before it"
        ]
