"""A command: its help, with options in groups and in words, and names that must not be empty."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import typer
from typer.core import TyperArgument, TyperCommand

# Columns of names; what is longer stands on a line of its own.
_LONGEST_NAME = 26
_LONGEST_CHOICES = 32
_MARGIN, _GAP = 2, 2
# Bounds from here on are there for the machine.
_ENDLESS = 1e6

# What the parser calls a value, and what people call it.
_METAVARS = {
    "int": "N",
    "int range": "N",
    "float": "X",
    "float range": "X",
    "str": "TEXT",
    "path": "PATH",
    "list[str]": "TEXT",
    "list[Path]": "PATH",
}

Row: TypeAlias = tuple[str, str]
"""A name and its text."""


class GroupedCommand(TyperCommand):
    """A command whose help has a section for each group that its options name.

    An option names its group by ``rich_help_panel``. Options without one come first.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words as the base class does. Raises BadParameter for an empty name."""
        if "" in args or any(word.endswith("=") for word in args):
            # As a path it would be the current folder: a variable of the shell that is not set.
            typed = self.make_parser(ctx).parse_args(args=list(args))[0]
            names: list[Any] = [each for each in self.get_params(ctx) if _is_name(each)]
            for each in names:
                if _holds_empty(typed.get(each.name)):
                    raise typer.BadParameter("the name is empty", ctx=ctx, param=each)
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the line of what is typed: ``vidstyle run [OPTIONS] PIPELINE INPUT...``."""
        words = ["[OPTIONS]", *(_usage_of(each) for each in self._arguments(ctx))]
        formatter.write_usage(ctx.command_path, " ".join(words))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the options without a group, and then each group."""
        sections = {
            "Arguments": [(_name_of(each), each.help or "") for each in self._arguments(ctx)]
        }
        sections.setdefault("Options", [])
        for option in self.get_params(ctx):
            if isinstance(option, TyperArgument) or getattr(option, "hidden", False):
                continue
            title = getattr(option, "rich_help_panel", None) or "Options"
            sections.setdefault(title, []).append(_option_row(option, ctx))
        _write_sections(sections, formatter)

    def _arguments(self, ctx: Any) -> list[TyperArgument]:
        return [each for each in self.get_params(ctx) if isinstance(each, TyperArgument)]


def use_grouped_help(app: typer.Typer) -> None:
    """Give every command of the app, and of the apps in it, the help of ``GroupedCommand``.

    Args:
        app: What commands were added to.
    """
    for command in app.registered_commands:
        command.cls = GroupedCommand
    for group in app.registered_groups:
        if group.typer_instance is not None:
            use_grouped_help(group.typer_instance)


def _is_name(parameter: Any) -> bool:
    """Whether the value is a path, or a name of something."""
    kinds = (Path, list[Path])
    return (
        isinstance(parameter, TyperArgument)
        or parameter.type_descriptor.annotation in kinds
        or "--output" in parameter.opts
    )


def _holds_empty(typed: Any) -> bool:
    return typed == "" or (isinstance(typed, list | tuple) and "" in typed)


def _name_of(argument: TyperArgument) -> str:
    return argument.metavar or argument.name.upper()


def _usage_of(argument: TyperArgument) -> str:
    name = _name_of(argument)
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _option_row(option: Any, ctx: Any) -> Row:
    names = ", ".join(sorted(option.opts, key=len))
    if option.secondary_opts:
        names = f"{names}, {', '.join(option.secondary_opts)}"
    metavar, choices = ("", "") if option.is_flag else _metavar(option, ctx)
    text = " ".join(filter(None, [option.help, choices]))
    facts = [fact for fact in (_bounds(option), _default(option, ctx), _required(option)) if fact]
    # A fact is not broken between two lines.
    marks = f"[{'; '.join(facts)}]".replace(" ", "\u00a0").replace(";\u00a0", "; ") if facts else ""
    return f"{names} {metavar}".strip(), " ".join(filter(None, [text, marks]))


def _metavar(option: Any, ctx: Any) -> tuple[str, str]:
    """The word for the value; where the choices are too many for it, a sentence that lists them."""
    if option.metavar is not None:
        return option.metavar, ""
    kind = option.display_type(ctx).strip("<>")
    if "|" not in kind or len(kind) <= _LONGEST_CHOICES:
        return _METAVARS.get(kind, kind), ""
    choices = kind.split("|")
    if all(choice in (option.help or "") for choice in choices):
        return "NAME", ""
    return "NAME", f"One of {', '.join(choices)}."


def _bounds(option: Any) -> str:
    least, most = (
        None if bound is None or abs(bound) >= _ENDLESS else f"{bound:g}"
        for bound in (getattr(option, "min", None), getattr(option, "max", None))
    )
    if least and most:
        return f"{least} to {most}"
    return f"{least} or more" if least else f"at most {most}" if most else ""


def _default(option: Any, ctx: Any) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    value = option.get_default(ctx, call=False)
    if value is None or value is False or value == "" or not option.show_default:
        return ""
    if value is True:
        return f"default: {option.opts[0].lstrip('-')}"
    return f"default: {f'{value:g}' if isinstance(value, float) else value}"


def _required(option: Any) -> str:
    return "required" if option.required else ""


def _write_sections(sections: dict[str, list[Row]], formatter: Any) -> None:
    longest = max(len(name) for rows in sections.values() for name, _ in rows)
    column = min(longest, _LONGEST_NAME) + _MARGIN + _GAP
    for title, rows in sections.items():
        if rows:
            formatter.write(f"\n{title}:\n")
            for name, text in rows:
                formatter.write(_row(name, text, column, formatter.width))


def _row(name: str, text: str, column: int, width: int) -> str:
    """A name and its text beside it, or below it where the name is long."""
    # Names of options and values are not broken at their hyphens.
    lines = textwrap.wrap(text, max(width - column, 20), break_on_hyphens=False)
    lines = [line.replace("\u00a0", " ") for line in lines]
    start = f"{'':{_MARGIN}}{name}"
    if len(start) + _GAP > column or not lines:
        return _joined([start, *(f"{'':{column}}{line}" for line in lines)])
    return _joined([f"{start:{column}}{lines[0]}", *(f"{'':{column}}{line}" for line in lines[1:])])


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
