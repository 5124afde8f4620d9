"""Options of a command are the fields of a model: parsed, bounded, named in errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import typer

from vidstyle.cli.main import run_command
from vidstyle.cli.model_options import add_options, option_name, validate_options
from vidstyle.cli.style_train import read_settings
from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.models.optimization.options import StillOptions
from vidstyle.training.settings import PRESETS, TrainingSettings

Given = Mapping[str, Any]


@pytest.fixture
def typed() -> list[Given]:
    """What the last command was given."""
    return []


@pytest.fixture
def app(typed: list[Given]) -> typer.Typer:
    """A command with the options of an image."""

    @add_options(StillOptions, skip=("style",))
    def command(given: Mapping[str, Any]) -> None:
        typed.append(given)

    made = typer.Typer()
    made.command()(command)
    return made


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ([], {}),
        (["--seed", "0", "--content-weight", "0"], {"seed": 0, "content_weight": 0.0}),
        (["--steps", "7"], {"steps": 7}),
        (["--style-weight", "2"], {"style_weight": 2.0}),
        (["--offline"], {"offline": True}),
        (["--backbone", "resnet-v2"], {"backbone": "resnet-v2"}),
        (["--colors", "content-luminance"], {"colors": "content-luminance"}),
        (["--style-layers", "relu1_1,relu2_1"], {"style_layers": ("relu1_1", "relu2_1")}),
        (["--style-layers", "a=2, b"], {"style_layers": {"a": 2.0, "b": 1.0}}),
        (["--content-layers", "relu1_1"], {"content_layers": ("relu1_1",)}),
        (["--style-scales", "1,0.5"], {"style_scales": (1.0, 0.5)}),
    ],
)
def test_words_become_values(
    app: typer.Typer, typed: list[Given], words: list[str], given: Given
) -> None:
    app(words, standalone_mode=False)
    assert typed == [given]
    validate_options(StillOptions, {**given, "style": "a.png"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 0}, "--steps 0: must be at least 1"),
        ({"size": 99}, "--size 99: must be at least 100"),
        ({"style_scale": 9.0}, "--style-scale 9: must be at most 4"),
        ({"style_scales": (1.0, 2.0)}, "--style-scales 2: each must be at most 1"),
        ({"style_layers": {"a": 0.0}}, "--style-layers a=0: all weights are 0; give a layer more"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"content_weight": float("nan")}, "--content-weight nan: must be a finite number"),
    ],
)
def test_an_error_names_the_option_that_was_typed(given: Given, message: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        validate_options(StillOptions, {**given, "style": "a.png"})


@pytest.mark.parametrize("words", [["--style-scales", "1,x"], ["--style-layers", "a=x"]])
def test_words_that_are_no_numbers_are_named(app: typer.Typer, words: list[str]) -> None:
    with pytest.raises(UsageError, match=rf"^{words[0]} {words[1]}: 'x' is no number$"):
        app(words, standalone_mode=False)


@pytest.mark.parametrize(
    ("command", "model", "skipped"),
    [
        (["image"], StillOptions, {"style", "temporal_weight"}),
        (["styles", "train"], TrainingSettings, set()),
    ],
)
def test_the_help_has_every_field_with_its_default(
    command: list[str],
    model: type[StillOptions] | type[TrainingSettings],
    skipped: set[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run_command([*command, "--help"]) == 0
    text = " ".join(capfd.readouterr().out.split())
    for name, field in model.model_fields.items():
        meant = text.partition(f"{option_name(name)} ")[2].partition(" --")[0]
        assert bool(meant) == (name not in skipped), name
        if meant and isinstance(field.default, str | int | float) and field.default is not False:
            default = f"{field.default:g}" if isinstance(field.default, float) else field.default
            assert f"default: {default}]" in meant


def test_a_preset_is_changed_by_options() -> None:
    settings, weights = read_settings(
        "johnson-2016", {"width": 8, "batch": 2, "weights": "w", "offline": True}
    )
    assert settings == TrainingSettings(**{**PRESETS["johnson-2016"], "width": 8, "batch": 2})
    assert (weights.weights, weights.offline) == ("w", True)
    assert read_settings("default", {})[0] == TrainingSettings()


def test_an_unknown_preset_is_guessed() -> None:
    with pytest.raises(VidstyleError, match=r"no preset johnson\. Did you mean johnson-2016\?"):
        read_settings("johnson", {})
