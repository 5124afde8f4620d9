"""``vidstyle schema``: JSON Schema of pipeline files, for editors."""

from __future__ import annotations

import json

import typer

from vidstyle.cli import shared_options as given


def register(app: typer.Typer) -> None:
    app.command("schema")(schema)


def schema(plugins: given.Plugins = None) -> None:
    """Print the JSON Schema of pipeline files."""
    from vidstyle.runner.config.schema import pipeline_schema

    print(json.dumps(pipeline_schema(given.registry_of(plugins)), indent=2))
