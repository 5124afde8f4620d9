"""``vidstyle styles``: what there is to paint in, and how to make more."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    styles = typer.Typer(help="List and train styles.", no_args_is_help=True)
    app.add_typer(styles, name="styles")
