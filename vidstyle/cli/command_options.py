"""How a function becomes a command: groups of options, sections of the help, and ``--quiet``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, get_args, get_type_hints

from typer.models import OptionInfo

from vidstyle.cli.shared_options import Quiet
from vidstyle.cli.terminal import set_quiet


def as_command(
    command: Callable[..., None],
    sections: Mapping[str, Sequence[str]] | None = None,
    *,
    quiet: bool = False,
) -> Callable[..., None]:
    """Make what ``app.command`` takes of a function.

    A parameter of a dataclass stands for options that are its fields, in a section of the help that
    has the dataclass's ``TITLE``. All other parameters are those of a Typer command.

    Args:
        command: Is called with the dataclasses filled.
        sections: Names of other parameters by the title of their section, both in the order of the
            help. A parameter that is in none stays before them.
        quiet: Whether the command has ``--quiet``, which sets what ``terminal.is_quiet`` says.

    Returns:
        Another function, with the options as its parameters.

    Raises:
        KeyError: A section names no parameter.
    """
    groups: dict[str, type[Any]] = {}
    options: dict[str, inspect.Parameter] = {}
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        kind = parameter.annotation
        if is_dataclass(kind) and isinstance(kind, type):
            groups[name] = kind
            options |= {option.name: option for option in _options_of(kind)}
        else:
            options[name] = parameter
    if quiet:
        options["quiet"] = keyword_parameter("quiet", Quiet, default=False)
    titled = [
        _in_section(options.pop(name), title)
        for title, names in (sections or {}).items()
        for name in names
    ]

    def call(**values: Any) -> None:
        if quiet:
            set_quiet(values.pop("quiet"))
        filled = {
            name: kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            for name, kind in groups.items()
        }
        command(**filled, **values)

    return with_parameters(call, command, [*options.values(), *titled])


def with_parameters(
    call: Callable[..., None], command: Callable[..., None], parameters: Iterable[inspect.Parameter]
) -> Callable[..., None]:
    """Give a function that takes keywords the parameters that Typer shall see.

    Args:
        call: A new function, which is changed.
        command: That it calls; gives name and help.
        parameters: In the order of the help.

    Returns:
        ``call``.
    """
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    call.__doc__, call.__name__ = command.__doc__, command.__name__
    call.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]  # Typer reads it
    call.__annotations__ = {each.name: each.annotation for each in keywords}
    return call


def keyword_parameter(name: str, annotation: Any, *, default: Any) -> inspect.Parameter:
    """Make a parameter that is an option.

    Args:
        name: Of the parameter.
        annotation: A type, with what Typer knows of the option.
        default: Its value where it is not typed.

    Returns:
        The parameter.
    """
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _options_of(group: type[Any]) -> Iterator[inspect.Parameter]:
    """The fields of a dataclass as parameters, in its section."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        parameter = keyword_parameter(field.name, hints[field.name], default=field.default)
        yield _in_section(parameter, group.TITLE)


def _in_section(parameter: inspect.Parameter, title: str) -> inspect.Parameter:
    kind, option = get_args(parameter.annotation)
    assert isinstance(option, OptionInfo), parameter.name
    # Another command may have it in another section.
    option = copy.copy(option)
    option.rich_help_panel = title
    return parameter.replace(annotation=Annotated[kind, option])
