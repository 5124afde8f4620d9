"""An error of a plugin is one line with the file and line of the plugin, wherever it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import WriteClip
from vidstyle.cli.main import run_command

PLUGIN = '''\
"""A stage that fails."""
import numpy as np
from pydantic import Field, field_validator
from vidstyle.core import NOW, BaseStage, Needs, StageOptions


def fail():
    raise KeyError("what happened")  # line 8


class Options(StageOptions):
    """Options."""

    level: int = Field(1, description="Level.")
{validator}


class Failing(BaseStage[Options]):
    """Fails."""

    Options = Options
    needs = Needs(reads={{"image": NOW}}, writes=("image",), scope="shot")

    def step(self, window, state):
        return {{"image": window.now.host("image")}}, {{}}
{method}


STAGE = Failing
'''
PIPELINE = """\
version: 1
stages:
  - use: decode/pyav
  - use: filter/failing
    level: 3
  - use: encode/pyav
    codec: ffv1
"""
# By the code of a method: stage and frame, or the place in the pipeline, and the exit code.
METHODS = {
    "def __init__(self, options): fail()": ("stage filter: ", 10),
    "needs = property(lambda self: fail())": ("stage filter: ", 10),
    "def describe(self, clip): fail()": ("stage filter: ", 10),
    "def resolve(self, clip, context): fail()": ("stage filter: ", 10),
    "def memory(self, clip, context): fail()": ("stage filter: ", 10),
    "def files(self): fail()": ("", 5),
    "def open(self, clip, context): fail()": ("stage filter: ", 10),
    "def initial_state(self): fail()": ("stage filter, frame 0: ", 10),
    "def step(self, window, state): fail()": ("stage filter, frame 0: ", 10),
    "def close(self): fail()": ("stage filter: ", 10),
}


@pytest.fixture
def run(
    folder: Path, write_clip: WriteClip, capfd: pytest.CaptureFixture[str]
) -> object:  # a function
    """Runs a pipeline with a plugin of that text, and gives the exit code and the last line."""
    write_clip(folder / "in.mp4", count=2)
    (folder / "p.yaml").write_text(PIPELINE)

    def run(text: str, *options: str) -> tuple[int, str]:
        plugin = folder / "own" / "filter" / "failing.py"
        plugin.parent.mkdir(parents=True)
        plugin.write_text(text)
        command = ["run", "p.yaml", "in.mp4", "-o", "out.mkv", "--plugins", "own"]
        code = run_command([*options, *command])
        shown = capfd.readouterr().err.splitlines()
        # Where a frame was done there is the name of the pipeline, too.
        lines = [line for line in shown if "note: " not in line and line != "p"]
        assert len(lines) == 1 or options
        return code, "\n".join(lines)

    return run


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_raises_is_named_by_its_line(run, folder: Path, method: str) -> None:  # type: ignore[no-untyped-def]  # a fixture
    code, line = run(PLUGIN.format(validator="", method=f"    {method}"))
    beginning, expected = METHODS[method]
    assert code == expected
    assert line.startswith(f"vidstyle: {beginning}")
    assert f"{folder}/own/filter/failing.py:8" in line
    assert "KeyError: 'what happened'" in line


@pytest.mark.parametrize("raised", ["KeyError('it')", "ValueError('it')"])
def test_a_validator_that_raises_is_named_by_the_place_in_the_pipeline(
    run,  # type: ignore[no-untyped-def]  # a fixture
    folder: Path,
    raised: str,
) -> None:
    validator = (
        "    @field_validator('level')\n    @classmethod\n"
        f"    def check(cls, level): raise {raised}"
    )
    code, line = run(PLUGIN.format(validator=validator, method=""))
    if raised.startswith("Value"):
        assert (code, line) == (
            2,
            "vidstyle: p.yaml:5:12: stage filter: option level: it, got the number 3",
        )
    else:
        assert code == 5
        assert line == (
            "vidstyle: p.yaml:4:10: stage filter cannot check its options: KeyError: 'it'"
            f" ({folder}/own/filter/failing.py:17)"
        )


@pytest.mark.parametrize(
    ("returned", "fault"),
    [
        ("3", "step must return (layers, state)"),
        ("({'image': window.now.host('image')[1:]}, {})", "layer image must have shape"),
        ("({'image': window.now.host('image') * float('nan')}, {})", "holds NaN"),
    ],
)
def test_what_a_step_must_not_return_names_the_step(run, folder, returned, fault) -> None:  # type: ignore[no-untyped-def]  # fixtures
    method = f"    def step(self, window, state): return {returned}"
    code, line = run(PLUGIN.format(validator="", method=method))
    assert code == 10
    assert line.startswith("vidstyle: stage filter, frame 0: ")
    assert fault in line
    assert line.endswith(f"({folder}/own/filter/failing.py:26)")


def test_what_a_function_must_not_return_names_the_function(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # a fixture
    code, line = run(
        "from vidstyle.core import HostArray, image_filter\n\n\n"
        "@image_filter\ndef STAGE(image: HostArray, *, level: int = 1) -> HostArray:\n"
        '    """Cut."""\n    return image[1:]\n'
    )
    assert code == 10
    assert line.endswith(f"got (127, 160, 3) ({folder}/own/filter/failing.py:4)")


def test_an_import_that_fails_names_the_line_of_the_plugin(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # a fixture
    code, line = run("import numpy\n\nnumpy.nothing_of_this_name\n")
    path = folder / "own" / "filter" / "failing.py"
    assert code == 5
    assert line.startswith(f"vidstyle: p.yaml:4:10: the stage filter/failing of {path} is broken: ")
    assert line.endswith(f"({path}:3)")


def test_the_traceback_is_shown_on_demand(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]  # a fixture
    monkeypatch.setenv("VIDSTYLE_DEBUG", "1")
    method = "    def step(self, window, state): fail()"
    code, lines = run(PLUGIN.format(validator="", method=method), "--debug")
    assert code == 10
    assert "Traceback (most recent call last):" in lines
    assert 'raise KeyError("what happened")' in lines
