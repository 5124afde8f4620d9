"""Texts of the command line as the options of a painting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vidstyle.core.errors import UsageError
from vidstyle.stages.stylize.gatys_options import OptimizationOptions

_NAMES = {"variation": "tv", "variation_kind": "tv-kind"}
"""Options whose name on the command line is another."""


def gatys_options(
    style_images: Mapping[str, float], given: Mapping[str, Any]
) -> OptimizationOptions:
    """The options, those that are None at their defaults. Raises UsageError."""
    values = {name: value for name, value in given.items() if value is not None}
    if "learning_rate" in values and values.get("optimizer") != "adam":
        raise UsageError("--learning-rate is of Adam alone: add --optimizer adam, or leave it out")
    try:
        return OptimizationOptions.model_validate({"style": dict(style_images), **values})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "style"
        shown = _NAMES.get(name, name.replace("_", "-"))
        said = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"--{shown} cannot be {first['input']!r}: {said}") from None


def check_range(option: str, value: float, least: float, most: float) -> None:
    """Raise UsageError for a number beyond its bounds; typer's own words do not name the option."""
    if not least <= value <= most:
        raise UsageError(f"{option} {value:g}: wanted {least:g} to {most:g}")


def shares(style_images: Sequence[Path], weights: str | None) -> dict[str, float]:
    """The paintings with their weights. Raises UsageError where the numbers do not fit."""
    if weights is None:
        return {str(path): 1.0 for path in style_images}
    where, parts = f"--style-weights {weights}", weights.split(",")
    if len(parts) != len(style_images):
        count = "is 1 painting" if len(style_images) == 1 else f"are {len(style_images)} paintings"
        raise UsageError(f"{where}: wanted one number for each painting, and there {count}")
    numbers = [_number(part, where) for part in parts]
    if min(numbers) < 0 or not 0 < sum(numbers) < inf:
        raise UsageError(f"{where}: wanted numbers from 0 on, and one of them above 0")
    return {str(path): number for path, number in zip(style_images, numbers, strict=True)}


def layers(text: str | None, option: str) -> tuple[str, ...] | dict[str, float] | None:
    """``A,B`` or ``A=2,B=1``. Raises UsageError."""
    if text is None:
        return None
    named = [part.strip().partition("=") for part in text.split(",")]
    if not all(name for name, _, _ in named):
        raise UsageError(f"{option} {text}: wanted layers such as relu1_1,relu2_1=0.5")
    if not any(equals for _, equals, _ in named):
        return tuple(name for name, _, _ in named)
    where = f"{option} {text}"
    return {name: _number(value, where) if equals else 1.0 for name, equals, value in named}


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{where}: {text!r} is no number") from None
