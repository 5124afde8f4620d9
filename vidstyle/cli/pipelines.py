"""``vidstyle pipelines`` and ``schema``: the shipped pipelines, and the form of their files."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.completion import complete_pipeline
from vidstyle.cli.json_output import put_json
from vidstyle.cli.option_values import registry_of
from vidstyle.cli.terminal import answer, print_table


def register(app: typer.Typer) -> None:
    pipelines = typer.Typer(
        help="List and print the pipelines that come with vidstyle.", no_args_is_help=True
    )
    pipelines.command("list")(list_)
    pipelines.command("show")(print_file)
    app.add_typer(pipelines, name="pipelines")
    app.command("schema")(schema)


def list_(json: given.Json = False) -> None:
    """List the pipelines that `vidstyle run` knows by name."""
    from vidstyle.runner.config.shipped import pipeline_summary, shipped_folder, shipped_pipelines

    found = shipped_pipelines()
    if json:
        rows = [{"name": n, "about": pipeline_summary(p), "file": str(p)} for n, p in found.items()]
        put_json(rows)
        return
    summaries = ((name, pipeline_summary(path)) for name, path in found.items())
    print_table(("name", "description"), summaries)
    answer(f"Their files are in {shipped_folder()}.")
    answer("One of your own begins with `vidstyle pipelines show NAME > my.yaml`.")


def print_file(
    name: Annotated[
        str,
        typer.Argument(
            help="A name from `vidstyle pipelines list`.",
            metavar="NAME",
            autocompletion=complete_pipeline,
        ),
    ],
) -> None:
    """Print the file of a pipeline.

    One of your own begins with it: `vidstyle pipelines show temporal > my.yaml`.
    """
    from vidstyle.core.errors import UsageError
    from vidstyle.runner.config.shipped import no_such_pipeline, shipped_pipelines

    file = shipped_pipelines().get(name)
    if file is None:
        raise UsageError(no_such_pipeline(name, Path()))
    print(file.read_text(encoding="utf-8"), end="")


def schema(plugins: given.Plugins = None) -> None:
    """Print the JSON Schema of pipeline files, for editors."""
    from vidstyle.runner.config.schema import pipeline_schema

    print(json_module.dumps(pipeline_schema(registry_of(plugins)), indent=2))
