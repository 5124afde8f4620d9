"""``vidstyle stages``: what a stage does, and its options in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from vidstyle.cli.main import run_command
from vidstyle.cli.option_text import KEYFRAMED, option_head, value_text
from vidstyle.core import StageOptions
from vidstyle.core.options import may_be_keyframed
from vidstyle.runner.config.discovery import BUILT_IN, Registry

PLUGINS = Path(__file__).parents[2] / "plugins"


class Many(StageOptions):
    """One option of each form."""

    size: float = Field(1.0, gt=0, le=1)
    count: int = Field(3, ge=1)
    limit: int = Field(0, ge=0, lt=2**63)
    factor: float = Field(0.5, ge=0, le=1_000_000)
    name: str | None = None
    exact: bool = False
    levels: tuple[float, ...] = ()
    mix: str | dict[str, float]
    quality: float | None = Field(None, ge=0, le=63)


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The lines of ``stages show`` at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def lines(name: str) -> list[str]:
        assert run_command(["stages", "show", name, "--plugins", str(PLUGINS)]) == 0
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_stage_is_shown_with_its_layers_and_options(name: str, show: Any) -> None:
    lines = show(name)
    text = " ".join(" ".join(lines).split())
    options = Registry().find(name).Options
    assert "Writes " in text
    assert max(map(len, lines)) <= 80
    for option in options.model_fields:
        (head,) = (line for line in lines if line.startswith(f"  {option}: "))
        assert head
    keyframed = {option for option in options.model_fields if may_be_keyframed(options, option)}
    assert text.count("; keyframed") == len(keyframed)
    assert (KEYFRAMED in lines) == bool(keyframed)


def test_the_layers_of_a_stage_with_a_required_option_are_shown(show: Any) -> None:
    assert "Reads image. Writes image." in show("stylize/feedforward")
    assert "Reads source. Writes flow, visible, flow_from_previous." in show("flow/ptlflow")
    assert "Reads image, flow (optional), visible (optional). Writes image." in show(
        "stylize/gatys"
    )


def test_a_value_is_not_broken_at_its_hyphen(show: Any) -> None:
    text = "\n".join(show("stylize/feedforward"))
    assert "{great-wave: 0.7, starry-night: 0.3}" in text


def test_the_form_of_an_option_is_in_words() -> None:
    schema = Many.model_json_schema()["properties"]
    texts = [option_head(name, row, required=name == "mix") for name, row in schema.items()]
    assert texts == [
        "size: number above 0 and at most 1; default 1",
        "count: whole number at least 1; default 3",
        "limit: whole number at least 0; default 0",
        "factor: number from 0 to 1000000; default 0.5",
        "name: text; not set",
        "exact: true or false; default false",
        "levels: list of numbers; default []",
        "mix: text or {name: number}; required",
        "quality: number from 0 to 63; not set",
    ]


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"enum": ["auto", 8, 16]}, "auto, 8 or 16"),
        (
            {"anyOf": [{"const": "auto"}, {"enum": ["vgg16", "vgg19"]}]},
            "auto, vgg16 or vgg19",
        ),
        (
            {"anyOf": [{"type": "integer"}, {"enum": ["fast", "slow"]}, {"type": "null"}]},
            "whole number, fast or slow",
        ),
        ({"type": "number", "exclusiveMinimum": 0.5}, "number above 0.5"),
        ({}, "value"),
    ],
)
def test_values_are_in_words(schema: Mapping[str, Any], text: str) -> None:
    assert value_text(schema) == text
