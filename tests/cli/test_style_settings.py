"""Presets, options and ``--set`` become settings, or one line that says what is wrong."""

from __future__ import annotations

import pytest

from vidstyle.cli.style_settings import settings_of
from vidstyle.core.errors import VidstyleError
from vidstyle.training.presets import PRESETS
from vidstyle.training.settings import Settings


def test_without_anything_the_settings_are_the_defaults() -> None:
    assert settings_of("default", {"width": None}, ()) == Settings()


def test_a_preset_is_changed_by_options_and_options_by_overrides() -> None:
    settings = settings_of("johnson-2016", {"width": 8, "batch": 2}, ["width=4", "seed=3"])
    wanted = {**PRESETS["johnson-2016"], "width": 4, "batch": 2, "seed": 3}
    assert settings == Settings(**wanted)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("learning_rate=1e-4", 1e-4),
        ("style_layers=[relu1_1, relu2_1]", ("relu1_1", "relu2_1")),
        ("style_layers=null", None),
        ("style_scales=[1]", (1.0,)),
        ("pooling=average", "average"),
        (" width = 8 ", 8),
    ],
)
def test_an_override_is_read_as_yaml(text: str, value: object) -> None:
    settings = settings_of("default", {}, [text])
    assert getattr(settings, text.partition("=")[0].strip()) == value


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_can_be_overridden(name: str) -> None:
    value = Settings().model_dump(mode="json")[name]
    text = "null" if value is None else str(value)
    assert settings_of("default", {}, [f"{name}={text}"]) == Settings()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["widht=8"], "--set widht=8: there is no setting widht. Did you mean width? Available: "),
        (["width=0"], "--set width=0: width must be at least 1, got the number 0"),
        (["width=x"], "--set width=x: width must be a whole number, got the text 'x'"),
        (["width='8'"], "width must be a whole number, got the text '8'"),
        (["width=true"], "width must be a whole number, got true"),
        (["strength=5"], "strength must be at most 4, got the number 5"),
        (["crop=33"], "crop must be a multiple of 4, got the number 33"),
        (["learning_rate=.inf"], "learning_rate must be a finite number, got the number inf"),
        (["pooling=avrage"], "pooling must be 'max' or 'average', got the text 'avrage'. Did you"),
        (["style_layers=relu1_1"], "style_layers must be a list, got the text 'relu1_1'"),
        (["style_scales=[1, 2]"], "style_scales must be a list, each of it at most 1, got a list"),
        (["style_layers=[]"], "style_layers must be at least 1 long, got a list of 0"),
        (["width"], "--set width: a setting is written NAME=VALUE"),
        (["=3"], "--set =3: a setting is written NAME=VALUE"),
        (["width="], "--set width=: no value after ="),
        (["width=[1"], "--set width=[1: "),
        (["width=0", "nothing=1"], "--set nothing=1: there is no setting nothing."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(VidstyleError) as raised:
        settings_of("default", {}, overrides)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2


def test_an_option_is_named_as_it_was_given() -> None:
    with pytest.raises(VidstyleError, match=r"^--iterations 0: iterations must be at least 1"):
        settings_of("default", {"iterations": 0}, ())


def test_an_unknown_preset_is_guessed() -> None:
    with pytest.raises(VidstyleError, match=r"no preset johnson\. Did you mean johnson-2016\?"):
        settings_of("johnson", {}, ())
