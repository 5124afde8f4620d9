"""The commands: their names and lines of help, without their modules, which take their time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from vidstyle.cli.command_help import use_grouped_help

# The module of each command and what the list of commands says of it, in the order of the help.
# The lines are repeated here because to print them must not import thirteen modules.
COMMANDS = {
    "run": ("run", "Stylize clips with a pipeline."),
    "image": ("image", "Stylize an image by optimization, in minutes."),
    "batch": ("batch", "Stylize every clip of a folder."),
    "stabilize": ("stabilize", "Make a clip that any tool stylized temporally consistent."),
    "replay": ("replay", "Make an output again from its manifest and compare the two."),
    "clean": ("clean", "List or remove what interrupted runs have left."),
    "check": ("check", "Validate a pipeline."),
    "evaluate": ("evaluate", "Evaluate clips: flicker, sharpness, ghosting, drift."),
    "compare": ("compare", "Show clips beside one another, in a video, an image or a page."),
    "bench": ("bench", "Time a pipeline, its stylizer only, and a plain frame loop."),
    "schema": ("pipelines", "Print the JSON Schema of pipeline files, for editors."),
    "app": ("app", "Stylize images and clips in a browser."),
    "pipelines": ("pipelines", "List and print the pipelines that come with vidstyle."),
    "stages": ("stages", "List and explain stages."),
    "styles": ("styles", "List, preview, train, import and export styles."),
    "weights": ("weights", "List, download and verify third-party weights."),
}


class _LazyCommands(Mapping[str, Any]):
    """Imports a command's module when it is asked for: no command pays for the others' options."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return load_command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class CommandList(TyperGroup):
    """The commands, each imported when it is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _LazyCommands()  # type: ignore[assignment]  # nobody adds to it

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Offer the commands, as the base class does, without their modules."""
        # The parser is part of typer, which does not offer this name.
        from typer.core import CompletionItem  # type: ignore[attr-defined]

        commands = [
            CompletionItem(name, help=summary)
            for name, (_, summary) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        # Past the base class, which would load each command for its line.
        return commands + super(TyperGroup, self).shell_complete(ctx, incomplete)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands, as the base class does, without their modules."""
        longest = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, textwrap.shorten(summary, longest, placeholder="..."))
                    for name, (_, summary) in COMMANDS.items()
                ]
            )


@cache
def load_command(name: str) -> Any:
    """Import a command, with its options and help."""
    own = typer.Typer(add_completion=False, rich_markup_mode=None)
    # With a callback it is a group, however few commands the module has.
    own.callback()(lambda: None)
    import_module(f"vidstyle.cli.{COMMANDS[name][0]}").register(own)
    use_grouped_help(own)
    return typer.main.get_group(own).commands[name]
