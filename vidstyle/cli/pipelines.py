"""``vidstyle pipelines`` and ``schema``: the shipped pipelines, and the form of their files."""

from __future__ import annotations

import json as json_module

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import answer, print_table


def register(app: typer.Typer) -> None:
    pipelines = typer.Typer(
        help="List the pipelines that come with vidstyle.", no_args_is_help=True
    )
    # Without a callback, typer makes a group of one command that command.
    pipelines.callback()(_group)
    pipelines.command("list")(list_)
    app.add_typer(pipelines, name="pipelines")
    app.command("schema")(schema)


def list_(json: given.Json = False) -> None:
    """List the pipelines that `vidstyle run` knows by name. Copy their files to change them."""
    from vidstyle.runner.config.shipped import pipeline_summary, shipped_folder, shipped_pipelines

    found = shipped_pipelines()
    if json:
        rows = [{"name": n, "about": pipeline_summary(p), "file": str(p)} for n, p in found.items()]
        print(json_module.dumps(rows))
        return
    summaries = ((name, pipeline_summary(path)) for name, path in found.items())
    print_table(("name", "description"), summaries)
    answer(f"Their files are in {shipped_folder()}.")


def _group() -> None:
    """Keep the name of the one command."""


def schema(plugins: given.Plugins = None) -> None:
    """Print the JSON Schema of pipeline files, for editors."""
    from vidstyle.runner.config.schema import pipeline_schema

    print(json_module.dumps(pipeline_schema(given.registry_of(plugins)), indent=2))
