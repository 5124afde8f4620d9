"""``vidstyle stages``: the stages that pipelines are built from."""

from __future__ import annotations

import json as json_module
import shutil
import sys
import textwrap
from typing import Annotated, Any

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import answer, print_table, table_width


def register(app: typer.Typer) -> None:
    stages = typer.Typer(help="List and explain stages.", no_args_is_help=True)
    stages.command("list")(list_stages)
    stages.command("show")(show)
    app.add_typer(stages, name="stages")


def list_stages(plugins: given.Plugins = None, json: given.Json = False) -> None:
    """List the stages that a pipeline can use."""
    found = given.registry_of(plugins).list()
    if json:
        print(
            json_module.dumps(
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
    name: Annotated[str, typer.Argument(help="A name such as blend/warped.", metavar="NAME")],
    plugins: given.Plugins = None,
    json: given.Json = False,
) -> None:
    """Show what a stage reads and writes, and its options."""
    stage = given.registry_of(plugins).find(name)
    schema = stage.Options.model_json_schema()
    if json:
        print(json_module.dumps({"name": name, "options": schema}))
        return
    first_line = (stage.__doc__ or "").strip().partition("\n")[0]
    _print_wrapped(f"{name}: {_plain(first_line)}" if first_line else name)
    for line in _layers(stage):
        _print_wrapped(line)
    answer("Options:" if schema.get("properties") else "No options.")
    for option, facts in schema.get("properties", {}).items():
        head, text = _option_texts(option, facts, option in schema.get("required", []))
        _print_wrapped(head, indent=2)
        _print_wrapped(text, indent=6)


def _layers(stage: Any) -> list[str]:
    """What it reads and writes with its default options; a source declares nothing."""
    from vidstyle.core.needs import Needs

    try:
        needs = stage(stage.Options()).needs
    except (AttributeError, ValueError):
        # Without a required option only needs that do not depend on options are known.
        needs = getattr(stage, "needs", None)
    if not isinstance(needs, Needs):
        return []
    reads = ", ".join(needs.reads) or "nothing"
    return [f"Reads {reads}. Writes {', '.join(needs.writes) or 'nothing'}."]


def _option_texts(name: str, facts: dict[str, Any], required: bool) -> tuple[str, str]:
    """One line on the form of an option, and its description."""
    default = "required" if required else f"default {json_module.dumps(facts.get('default'))}"
    bounds = [f"{word} {facts[key]}" for key, word in _BOUNDS.items() if key in facts]
    values = f" of {', '.join(map(str, facts['enum']))}" if "enum" in facts else ""
    kind = facts.get("type") or "/".join(k.get("type", "value") for k in facts.get("anyOf", []))
    details = "; ".join([f"{kind or 'value'}{values}", default, *bounds])
    return f"{name}  ({details})", _plain(facts.get("description", ""))


def _plain(text: str) -> str:
    """Documentation without the marks of code."""
    return text.replace("``", "")


def _print_wrapped(text: str, *, indent: int = 0) -> None:
    """Lines no longer than the terminal; an empty text prints nothing."""
    margin = " " * indent
    columns = table_width(sys.stdout) or shutil.get_terminal_size().columns
    for line in textwrap.wrap(text, columns, initial_indent=margin, subsequent_indent=margin):
        answer(line)


_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
}
