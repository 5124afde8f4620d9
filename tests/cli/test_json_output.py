"""With --json standard output has lines of JSON alone, and an error is one of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import IDENTITY, WriteClip
from vidstyle.cli import command_list
from vidstyle.cli.main import run_command

LOUD = '''\
import os

from vidstyle.core import HostArray, image_filter

print("printed while it was imported")


@image_filter
def STAGE(image: HostArray) -> HostArray:
    """Talks."""
    print("printed by Python")
    os.write(1, b"printed by a library\\n")
    os.system("echo printed by a program")
    return image
'''


def _commands_with_json() -> Iterator[str]:
    for name in command_list.COMMANDS:
        command = command_list.load_command(name)
        each = {name: command, **{f"{name} {k}": v for k, v in _inner(command).items()}}
        for words, one in each.items():
            if any("--json" in option.opts for option in one.params):
                yield words


def _inner(command: object) -> dict[str, object]:
    return getattr(command, "commands", {})


def _rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_most_commands_have_json() -> None:
    assert {"run", "batch", "image", "evaluate", "bench", "check", "weights verify"} <= set(
        _commands_with_json()
    )


@pytest.mark.parametrize("command", list(_commands_with_json()))
def test_a_wrong_call_is_an_event(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command([*command.split(), "--json", "--nothing-like-it"]) == 2
    printed = capfd.readouterr()
    assert _rows(printed.out) == [
        {"event": "error", "message": "No such option: --nothing-like-it", "exit_code": 2}
    ]
    assert printed.err == "vidstyle: No such option: --nothing-like-it\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["run", "identity.yaml", "absent.mp4", "-o", "out.mkv"], 3),
        (["check", "identity.yaml", "absent.mp4"], 3),
        (["batch", "identity.yaml", "absent", "-o", "out"], 3),
        (["replay", "absent.mkv"], 3),
        (["evaluate", "absent.mp4", "other.mp4"], 3),
        (["bench", "identity.yaml", "absent.mp4"], 3),
        (["image", "absent.png", "style.png", "-o", "out.png"], 3),
        (["weights", "verify", "nothing"], 4),
        (["stages", "show", "filter/nothing"], 2),
        (["stages", "list", "--plugins", "absent"], 5),
    ],
)
def test_an_error_is_an_event(
    folder: Path, command: list[str], code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    found = run_command([*command, "--json"])
    printed = capfd.readouterr()
    error = _rows(printed.out)[-1]
    assert error["event"] == "error"
    assert error["exit_code"] == found
    assert f"vidstyle: {error['message']}" in printed.err
    if command[0] not in ("bench", "weights", "replay", "image"):
        assert found == code


def test_several_faults_are_one_event(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "p.yaml").write_text(IDENTITY.replace("ffv1", "ffv1\n    crf: x\n    abc: 3"))
    assert run_command(["check", "p.yaml", "--json"]) == 2
    (row,) = _rows(capfd.readouterr().out)
    assert len(str(row["message"]).split("\n")) == 2


def test_nothing_changes_without_json(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", "identity.yaml", "absent.mp4"]) == 3
    assert capfd.readouterr().out == ""
    # Behind -- are names of files.
    assert run_command(["check", "identity.yaml", "--", "--json"]) == 3
    assert capfd.readouterr().out == ""
    assert run_command(["check", "--json", "--help"]) == 0
    assert capfd.readouterr().out.startswith("Usage: ")


@pytest.mark.parametrize("command", ["run", "batch", "check", "stages"])
def test_what_plugins_and_libraries_print_goes_to_standard_error(
    folder: Path, write_clip: WriteClip, command: str
) -> None:
    write_clip(folder / "clips" / "in.mp4", count=3)
    (folder / "own" / "filter").mkdir(parents=True)
    (folder / "own" / "filter" / "loud.py").write_text(LOUD)
    (folder / "p.yaml").write_text(
        IDENTITY.replace("  - use: encode", "  - use: filter/loud\n  - use: encode")
    )
    words = {
        "run": ["run", "p.yaml", "clips/in.mp4", "-o", "out.mkv"],
        "batch": ["batch", "p.yaml", "clips", "-o", "out"],
        "check": ["check", "p.yaml", "clips/in.mp4"],
        "stages": ["stages", "list"],
    }[command]
    done = subprocess.run(
        [sys.executable, "-m", "vidstyle", *words, "--plugins", "own", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _rows(done.stdout)
    assert "printed while it was imported" in done.stderr
    if command in ("run", "check"):
        for who in ("Python", "a library", "a program"):
            assert f"printed by {who}" in done.stderr


@pytest.mark.parametrize("path", sorted(Path(command_list.__file__).parent.glob("*.py")), ids=str)
def test_json_is_printed_by_one_function(path: Path) -> None:
    """Print would write it where plugins print."""
    if path.stem != "json_output":
        found = re.findall(r"\b(?:print|answer)\(\s*json\w*\.dumps\(.*", path.read_text())
        assert [line for line in found if "indent=2" not in line] == []


def test_json_goes_where_the_video_does_not() -> None:
    from vidstyle.cli.json_output import json_only, output_stream

    for words in (["-o", "-"], ["--output", "-"], ["-o-"], ["--output=-"]):
        with json_only(["run", "temporal", "in.mp4", "--json", *words]):
            assert output_stream() is sys.stderr
    before = sys.stdout
    with json_only(["run", "temporal", "-", "--json", "-o", "out.mp4"]):
        assert output_stream() is before
        assert sys.stdout is sys.stderr
    assert output_stream() is before
