"""The settings of a training from a preset, options and ``--set``, or one clear line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vidstyle.core.errors import PipelineError, UsageError
from vidstyle.runner.config.option_errors import WANTED
from vidstyle.runner.config.suggest import abbreviate, did_you_mean
from vidstyle.runner.config.yaml_file import parse_value
from vidstyle.runner.config.yaml_values import Where, YamlScalar, YamlValue, to_plain
from vidstyle.training.presets import PRESETS
from vidstyle.training.settings import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def settings_of(
    preset: str, options: Mapping[str, str | float | None], overrides: Sequence[str]
) -> Settings:
    """The preset's settings, changed by options that are not None, and then by overrides.

    ``options`` are fields of ``Settings`` that have an option of their name; an override is
    ``field=value``, the value as YAML. Raises UsageError or PipelineError that names the option.
    """
    if preset not in PRESETS:
        raise UsageError(f"there is no preset {abbreviate(preset)}.{did_you_mean(preset, PRESETS)}")
    written: dict[str, YamlValue] = {
        name: YamlScalar(value, Where(f"--{name} {value}"))
        for name, value in options.items()
        if value is not None
    }
    written |= dict(map(_parse, overrides))
    values = {**PRESETS[preset], **{name: to_plain(value) for name, value in written.items()}}
    try:
        # As JSON, where a list is good for a tuple; strict, so that text is no number.
        return Settings.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        raise _complaint(written, error.errors(include_url=False)) from None


def _parse(text: str) -> tuple[str, YamlValue]:
    where = Where(f"--set {abbreviate(text)}")
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise where.error("a setting is written NAME=VALUE")
    if not value.strip():
        raise where.error("no value after =; write null for none")
    return name.strip(), parse_value(value, where)


def _complaint(
    written: Mapping[str, YamlValue], errors: Sequence[ErrorDetails]
) -> PipelineError | UsageError:
    """An unknown name before all, since it explains whatever else is wrong."""
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    first = (unknown or errors)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if name not in written:
        return UsageError(f"these settings cannot be: {first['msg']}")
    value = written[name]
    if unknown:
        known = did_you_mean(name, Settings.model_fields)
        return value.where.error(f"there is no setting {abbreviate(name)}.{known}")
    same = [error for error in errors if error["loc"][:1] == (name,)]
    wants = " or ".join(dict.fromkeys(map(_wants, same)))
    return value.where.error(f"{name} must be {wants}, got {value}{_hint(value, same)}")


def _wants(error: ErrorDetails) -> str:
    context = {
        key: f"{bound:g}" if isinstance(bound, float) else bound
        for key, bound in error.get("ctx", {}).items()
    }
    item = "a list, each of it " if len(error["loc"]) > 1 and isinstance(_last(error), int) else ""
    return item + WANTED.get(error["type"], f"right ({error['msg']})").format_map(context)


def _last(error: ErrorDetails) -> int | str:
    return error["loc"][-1]


def _hint(value: YamlValue, errors: Sequence[ErrorDetails]) -> str:
    """The nearest of the choices, for a word that is none of them."""
    expected = " ".join(str(error.get("ctx", {}).get("expected", "")) for error in errors)
    choices = re.findall(r"'([^']*)'", expected)
    if not (choices and isinstance(value, YamlScalar) and isinstance(value.value, str)):
        return ""
    near = did_you_mean(value.value, choices).partition(" Available")[0]
    return f".{near}" if near else ""
