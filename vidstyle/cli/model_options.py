"""Options of a command that are the fields of a pydantic model: name, help, default and bounds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from vidstyle.cli.command_options import keyword_parameter, with_parameters
from vidstyle.core.errors import UsageError
from vidstyle.runner.config.option_errors import WANTED

_Model = TypeVar("_Model", bound=BaseModel)
# What a text of the model is, in the help.
_NAMED = {"weights": "PATH", "initial_weights": "NAME"}
# Bounds from here on are of no interest in a help text.
_ENDLESS = 1e6


def add_options(
    *models: type[BaseModel], skip: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorates a command so that it also takes the fields of models as options.

    The command's parameter ``given`` becomes those that were typed, by name; lists are parsed, and
    nothing is validated yet: ``validate_options`` does that.

    Args:
        models: their fields become options in order; of two of one name the last counts.
        skip: names of fields that become none.
    """
    fields = {
        name: field
        for model in models
        for name, field in model.model_fields.items()
        if name not in skip
    }

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            typed = {name: values.pop(name) for name in fields}
            given = {
                name: _parse(name, value, fields[name])
                for name, value in typed.items()
                if value is not None and value is not False
            }
            command(**values, given=given)

        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [
            *(parameter for parameter in own if parameter.name != "given"),
            *(_parameter(name, field) for name, field in fields.items()),
        ]
        return with_parameters(run, command, parameters)

    return decorate


def validate_options(
    model: type[_Model], given: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> _Model:
    """The model of what was typed.

    Args:
        model: what is built.
        given: from ``add_options``, and what the command adds.
        defaults: values of fields that were not typed, where they are not the model's.

    Raises:
        UsageError: a value cannot be; it is named by its option.
    """
    try:
        return model.model_validate({**(defaults or {}), **given})
    except ValidationError as error:
        raise _option_error(error.errors(include_url=False)) from None


def _option_error(errors: list[ErrorDetails]) -> UsageError:
    first = errors[0]
    if not first["loc"]:
        return UsageError(first["msg"].removeprefix("Value error, "))
    name = first["loc"][0]
    same = [error for error in errors if error["loc"][0] == name]
    wants = " or ".join(dict.fromkeys(map(_wants, same)))
    return UsageError(f"{option_name(str(name))} {_show(first['input'])}: {wants}")


def _wants(error: ErrorDetails) -> str:
    if error["type"] not in WANTED:
        return error["msg"].removeprefix("Value error, ")
    context = {
        key: f"{bound:g}" if isinstance(bound, float) else bound
        for key, bound in error.get("ctx", {}).items()
    }
    each = "each " if len(error["loc"]) > 1 else ""
    return f"{each}must be {WANTED[error['type']].format_map(context)}"


def _show(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={_show(weight)}" for name, weight in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(_show, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def option_name(field: str) -> str:
    """How a field is typed: ``--style-weight``."""
    return f"--{field.replace('_', '-')}"


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    types = set(_flatten(field.annotation))
    # Lists of layers, numbers or weights by name are one word each.
    kinds = [kind for kind in (int, float) if kind in types]
    kind: Any = kinds[0] if kinds else str
    if choices := tuple(_choices(field.annotation)):
        kind = Literal[choices]
    if bool in types:
        option = typer.Option(option_name(name), help=field.description)
        return keyword_parameter(name, Annotated[bool, option], default=False)
    option = typer.Option(
        option_name(name),
        help=field.description,
        metavar=_NAMED.get(name) or _metavar(types),
        show_default=_facts(field) or False,
    )
    return keyword_parameter(name, Annotated[kind | None, option], default=None)


def _choices(annotation: Any) -> Iterator[str]:
    """The choices of a field, in the order in which they are declared."""
    for each in _flatten(annotation):
        if get_origin(each) is Literal:
            yield from get_args(each)


def _metavar(types: Collection[Any]) -> str | None:
    origins = {get_origin(each) for each in types}
    if dict in origins:
        return "NAME[=W],..."
    return "A,B,..." if tuple in origins else None


def _facts(field: FieldInfo) -> str:
    """``1 to 4; default: 1``."""
    silent = field.default is None or field.default is False
    parts = (_bounds(field), "" if silent else f"default: {_show(field.default)}")
    return "; ".join(filter(None, parts))


def _bounds(field: FieldInfo) -> str:
    known = {
        word: f"{value:g}"
        for constraint in field.metadata
        for word in ("ge", "gt", "le", "lt", "multiple_of")
        if (value := getattr(constraint, word, None)) is not None and abs(value) < _ENDLESS
    }
    least = known.get("ge") or (f"above {known['gt']}" if "gt" in known else "")
    most = known.get("le") or (f"below {known['lt']}" if "lt" in known else "")
    step = f"a multiple of {known['multiple_of']}" if "multiple_of" in known else ""
    if least and most:
        span = f"{least} to {most}"
    elif "ge" in known:
        span = f"{least} or more"
    else:
        span = least or most
    return ", ".join(part for part in (span, step) if part)


def _flatten(annotation: Any) -> Iterator[Any]:
    """The members of a union, without what annotates them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _flatten(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _flatten(member)
    elif annotation is not NoneType:
        yield annotation


def _parse(name: str, value: Any, field: FieldInfo) -> Any:
    """A typed word as the field's value: lists are split."""
    lists = {get_origin(each): each for each in _flatten(field.annotation)}
    if not isinstance(value, str) or not {tuple, dict} & lists.keys():
        return value
    where = f"{option_name(name)} {value}"
    parts = [part.strip() for part in value.split(",")]
    if not all(parts):
        raise UsageError(f"{where}: wanted a list such as A,B")
    if dict in lists and any("=" in part for part in parts):
        pairs = [part.partition("=") for part in parts]
        return {
            key: parse_number(weight, where) if equals else 1.0 for key, equals, weight in pairs
        }
    [item, *_] = _flatten(get_args(lists[tuple])[0])
    return tuple(parse_number(part, where) if item is float else part for part in parts)


def parse_number(text: str, where: str) -> float:
    """A number as it was typed. Raises UsageError, which says where."""
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{where}: {text!r} is no number") from None
