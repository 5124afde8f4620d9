"""``vidstyle pipelines``: those that come with vidstyle."""

from __future__ import annotations

import json as json_module
import sys

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import table_width, visible


def register(app: typer.Typer) -> None:
    pipelines = typer.Typer(help="List the pipelines that ship.", no_args_is_help=True)
    # With a command alone the group itself would be the command.
    pipelines.callback()(_group)
    pipelines.command("list")(list_)
    app.add_typer(pipelines, name="pipelines")


def list_(json: given.Json = False) -> None:
    """All pipelines that can be run by name, what they do, and their files, to copy and change."""
    from vidstyle.runner.config.shipped import pipeline_summary, shipped_pipelines

    found = shipped_pipelines()
    if json:
        rows = [{"name": n, "about": pipeline_summary(p), "file": str(p)} for n, p in found.items()]
        print(json_module.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "does", "file"):
        table.add_column(title, overflow="fold")
    for name, path in found.items():
        table.add_row(name, pipeline_summary(path), visible(str(path)))
    # A folder's name means nothing but itself.
    console = Console(width=table_width(sys.stdout), highlight=False, markup=False)
    console.print(table, crop=False)


def _group() -> None:
    """Keep the name of the one command."""
