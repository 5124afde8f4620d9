"""``vidstyle stages``: the stages that pipelines are built from."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.completion import complete_stage
from vidstyle.cli.json_output import put_json
from vidstyle.cli.option_text import KEYFRAMED, option_head
from vidstyle.cli.option_values import registry_of
from vidstyle.cli.terminal import answer, print_table, table_width
from vidstyle.core.options import KEYFRAMES


def register(app: typer.Typer) -> None:
    stages = typer.Typer(help="List and explain stages.", no_args_is_help=True)
    stages.command("list")(list_stages)
    stages.command("show")(show)
    app.add_typer(stages, name="stages")


def list_stages(plugins: given.Plugins = None, json: given.Json = False) -> None:
    """List the stages that a pipeline can use."""
    found = registry_of(plugins).list()
    if json:
        put_json(
            [
                {
                    "name": entry.name,
                    "owner": entry.owner,
                    "summary": entry.summary,
                    "broken": entry.broken,
                }
                for entry in found
            ]
        )
        return
    rows = [
        (
            entry.name,
            (f"BROKEN: {entry.broken}" if entry.broken else _plain(entry.summary))
            + ("" if _built_in(entry) else f" ({entry.owner})"),
        )
        for entry in found
    ]
    print_table(("name", "description"), rows)


def _built_in(entry: Any) -> bool:
    return str(entry.owner) == "vidstyle"


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A name such as blend/warped.", metavar="NAME", autocompletion=complete_stage
        ),
    ],
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Show what a stage reads and writes, and its options."""
    from vidstyle.runner.config.offers import summary_of

    stage = registry_of(plugins).find(name)
    schema = stage.Options.model_json_schema()
    if json:
        put_json({"name": name, "options": schema})
        return
    summary = summary_of(stage)
    _print_wrapped(f"{name}: {_plain(summary)}" if summary else name)
    for line in _layers(name, stage):
        _print_wrapped(line)
    _print_options(schema)


def _print_options(schema: Mapping[str, Any]) -> None:
    properties = schema.get("properties", {})
    answer("")
    answer("Options:" if properties else "No options.")
    for option, facts in properties.items():
        required = option in schema.get("required", [])
        _print_wrapped(option_head(option, facts, required=required), indent=2, hanging=2)
        _print_wrapped(_plain(facts.get("description", "")), indent=6)
    if any(facts.get(KEYFRAMES) for facts in properties.values()):
        answer("")
        _print_wrapped(KEYFRAMED)


def _layers(name: str, stage: Any) -> list[str]:
    """What it reads and writes with its default options."""
    from vidstyle.core.needs import Needs

    if name.startswith("decode/"):
        return ["Writes source, image, alpha (optional)."]
    required = [key for key, field in stage.Options.model_fields.items() if field.is_required()]
    try:
        # A required option is mostly the name of a file, on which the needs do not depend.
        needs = stage(stage.Options(**dict.fromkeys(required, "any"))).needs
    except (AttributeError, ValueError):
        needs = getattr(stage, "needs", None)
    if not isinstance(needs, Needs):
        return []
    named = (f"{layer} (optional)" if r.optional else layer for layer, r in needs.reads.items())
    reads = ", ".join(named) or "nothing"
    return [f"Reads {reads}. Writes {', '.join(needs.writes) or 'nothing'}."]


def _plain(text: str) -> str:
    """Documentation without the marks of code."""
    return text.replace("``", "")


def _print_wrapped(text: str, *, indent: int = 0, hanging: int = 0) -> None:
    """Lines no longer than the terminal; those after the first are indented by ``hanging`` more.

    An empty text prints nothing.
    """
    columns = table_width(sys.stdout) or shutil.get_terminal_size().columns
    wrapped = textwrap.wrap(
        text,
        columns,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        # A value such as great-wave stays whole.
        break_on_hyphens=False,
    )
    for line in wrapped:
        answer(line)
