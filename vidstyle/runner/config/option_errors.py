"""Format a ValidationError as lines with file, line and column, one for each option."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vidstyle.core.errors import PipelineError, shorten_message
from vidstyle.core.options import StageOptions
from vidstyle.runner.config.stage_list import WrittenStage
from vidstyle.runner.config.suggest import abbreviate, did_you_mean
from vidstyle.runner.config.yaml_values import Where, YamlList, YamlMap, YamlScalar, YamlValue

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# The end of "must be ..." by the type of pydantic's error.
WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "fraction_parsing": "a fraction such as 25 or '30000/1001'",
    "decimal_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "path_type": "a path",
    "none_required": "null",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_pattern_mismatch": "text that fits {pattern}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "at least {min_length} long",
    "too_long": "at most {max_length} long",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def option_errors(
    stage: WrittenStage,
    model: type[StageOptions],
    written: YamlMap,
    errors: Sequence[ErrorDetails],
) -> Iterator[PipelineError]:
    """An error for each option; none for a missing one that an unknown one may be meant for."""
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    for error in unknown:
        yield _unknown(stage, model, written, error["loc"])
    left_out = {"extra_forbidden", "missing"} if unknown else set()
    rest = [error for error in errors if error["type"] not in left_out]
    for name in dict.fromkeys(error["loc"][:1] for error in rest):
        same = [error for error in rest if error["loc"][:1] == name]
        if not name:
            yield stage.where.error(f"stage {stage.name}: {_message(same[0])}")
        elif same[0]["type"] == "missing":
            yield _missing(stage, model, written, same[0]["loc"])
        else:
            yield _wrong(stage, written, same)


def _unknown(
    stage: WrittenStage, model: type[StageOptions], written: YamlMap, loc: tuple[int | str, ...]
) -> PipelineError:
    name = str(loc[-1])
    parent, path, _ = _follow(written, loc[:-1])
    where = parent.keys.get(name, parent.where) if isinstance(parent, YamlMap) else parent.where
    if path:
        return where.error(
            f"stage {stage.name}: option {path} has no key {abbreviate(name)}; remove it"
        )
    return where.error(
        f"stage {stage.name} ({stage.use}) has no option {abbreviate(name)}."
        f"{did_you_mean(name, model.model_fields)}"
    )


def _missing(
    stage: WrittenStage, model: type[StageOptions], written: YamlMap, loc: tuple[int | str, ...]
) -> PipelineError:
    parent, path, _ = _follow(written, loc[:-1])
    if not path:
        purpose = model.model_fields[str(loc[0])].description
        meaning = f" ({purpose.rstrip('.')})" if purpose else ""
        return stage.where.error(
            f"stage {stage.name} ({stage.use}) needs the option {loc[0]}{meaning}; write it here"
        )
    needs = "more values" if isinstance(parent, YamlList) else f"the key {loc[-1]}"
    return parent.where.error(f"stage {stage.name}: option {path} needs {needs}, got {parent}")


def _wrong(stage: WrittenStage, written: YamlMap, errors: Sequence[ErrorDetails]) -> PipelineError:
    """The types that the option takes, and the value that was found."""
    value, path, where = _follow(written, errors[0]["loc"])
    own = [error for error in errors if error["type"] in ("value_error", "assertion_error")]
    if own:
        return where.error(f"stage {stage.name}: option {path}: {_message(own[0])}, got {value}")
    wants = " or ".join(dict.fromkeys(_wants(error) for error in errors))
    return where.error(
        f"stage {stage.name}: option {path} must be {wants}, got {value}{_hint(value, errors)}"
    )


def _follow(written: YamlMap, loc: Sequence[int | str]) -> tuple[YamlValue, str, Where]:
    """The value at an error's location, its dotted name, and its position in the file.

    Locations also hold the names of union members, which are not in the file.
    """
    value: YamlValue = written
    path = []
    for step in loc:
        if isinstance(value, YamlMap) and step in value.items:
            value = value.items[str(step)]
        elif isinstance(value, YamlList) and isinstance(step, int) and step < len(value.items):
            value = value.items[step]
        else:
            continue
        path.append(abbreviate(str(step)))
    return value, ".".join(path), value.where


def _wants(error: ErrorDetails) -> str:
    wanted = WANTED.get(error["type"])
    if wanted is None:
        return f"right ({_message(error)})"
    return wanted.format_map(_numbers(error.get("ctx", {})))


def _numbers(context: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()
    }


def _message(error: ErrorDetails) -> str:
    text = str(error.get("ctx", {}).get("error", error["msg"]))
    return shorten_message(text).rstrip(".")


def _hint(value: YamlValue, errors: Sequence[ErrorDetails]) -> str:
    if not isinstance(value, YamlScalar):
        return ""
    if not isinstance(value.value, str):
        text = any(error["type"] == "string_type" for error in errors)
        return "; put it in quotes" if text and value.value is not None else ""
    expected = [str(error.get("ctx", {}).get("expected", "")) for error in errors]
    choices = re.findall(r"'([^']*)'", " ".join(expected))
    near = did_you_mean(value.value, choices).partition(" Available")[0] if choices else ""
    return f".{near}" if near else ""
