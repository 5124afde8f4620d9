"""The help of every command: groups, words that people know, and 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from pydantic import BaseModel

from tests.cli.conftest import WriteClip
from vidstyle.cli import command_list, image, style_train
from vidstyle.cli.command_help import use_grouped_help
from vidstyle.cli.command_options import as_command
from vidstyle.cli.main import run_command
from vidstyle.models.loss.loss_options import WeightsOptions
from vidstyle.models.optimization.options import StillOptions
from vidstyle.training.settings import TrainingSettings

MANY_OPTIONS = ["image", "styles train", "run", "batch", "stabilize", "evaluate", "bench"]


def _every_command() -> Iterator[str]:
    for name in command_list.COMMANDS:
        command = command_list.load_command(name)
        yield name
        yield from (f"{name} {each}" for each in getattr(command, "commands", ()))


def _help(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    assert run_command([*command.split(), "--help"]) == 0
    return capfd.readouterr().out


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("command", ["", *_every_command()])
def test_a_help_fits_80_columns_and_has_no_types(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = _help(command, capfd)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"Usage: vidstyle {command}".strip())
    assert not re.search(r"<[a-z]|x[<>]=|\{[A-Z]|list\[|\d\.0[];]", text)


@pytest.mark.parametrize("command", MANY_OPTIONS)
def test_many_options_stand_in_groups(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    sections = re.split(r"\n([A-Z][a-z ]+):\n", _help(command, capfd))
    titles, bodies = sections[1::2], sections[2::2]
    assert len(titles) > 2
    assert len(set(titles)) == len(titles)
    assert all(len(re.findall(r"^  -", body, re.M)) < 12 for body in bodies)


@pytest.mark.parametrize(
    ("groups", "models", "skipped"),
    [
        (image._SECTIONS, [StillOptions], {"style", "temporal_weight"}),
        (style_train.SECTIONS, [TrainingSettings, WeightsOptions], set()),
    ],
)
def test_every_field_of_the_model_is_in_one_group(
    groups: dict[str, tuple[str, ...]], models: list[type[BaseModel]], skipped: set[str]
) -> None:
    named = [name for names in groups.values() for name in names]
    fields = {name for model in models for name in model.model_fields} - skipped
    assert len(set(named)) == len(named)
    assert fields <= set(named)


@pytest.mark.parametrize("command", ["run", "stabilize"])
def test_the_help_of_an_output_says_what_it_is_without_a_name(
    command: str, capfd: pytest.CaptureFixture[str], folder: Path, write_clip: WriteClip
) -> None:
    text = " ".join(_help(command, capfd).split())
    (name,) = re.findall(r"If not set: (\S+) in the current folder\.", text)
    clip = str(write_clip(folder / "deep" / "clip.mp4", count=2))
    given = ["stabilize", clip, clip] if command == "stabilize" else ["run", "identity.yaml", clip]
    assert run_command([*given, "--set", "encode.codec=libx264"]) == 0
    expected = name.replace("INPUT", "clip").replace("ORIGINAL", "clip")
    assert (folder / expected.replace("PIPELINE", "identity")).is_file()


def test_the_help_of_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    def play(
        clip: Annotated[str, typer.Argument(help="The clip.", metavar="CLIP")],
        rate: Annotated[float, typer.Option(help="Times the speed.", min=0.5, max=2)] = 1.0,
        codec: Annotated[
            Literal["first-long-name", "second-long-name", "third"],
            typer.Option(help="Of the sound."),
        ] = "third",
        volume: Annotated[int, typer.Option(help="How loud.", min=0, metavar="DB")] = 7,
        again: Annotated[bool, typer.Option("--again", help="Without an end-mark.")] = False,
    ) -> None:
        """Play a clip."""

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command("play")(as_command(play, {"Sound": ("volume", "codec"), "Speed": ("rate",)}))
    use_grouped_help(app)
    app(["--help"], prog_name="test", standalone_mode=False)
    assert capfd.readouterr().out == HELP


HELP = """\
Usage: test [OPTIONS] CLIP

  Play a clip.

Arguments:
  CLIP          The clip.

Options:
  --again       Without an end-mark.
  --help        Show this message and exit.

Sound:
  --volume DB   How loud. [0 or more; default: 7]
  --codec NAME  Of the sound. One of first-long-name, second-long-name, third.
                [default: third]

Speed:
  --rate X      Times the speed. [0.5 to 2; default: 1]
"""
