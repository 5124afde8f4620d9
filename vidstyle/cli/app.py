"""``vidstyle app``: the web page."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli.terminal import say


def register(app: typer.Typer) -> None:
    app.command("app")(page)


def page(
    images: Annotated[
        Path | None,
        typer.Option(help="A folder of photos to choose from.", metavar="DIR"),
    ] = None,
    styles: Annotated[
        Path | None,
        typer.Option(help="A folder of paintings to choose from.", metavar="DIR"),
    ] = None,
    pipelines: Annotated[
        Path | None,
        typer.Option(help="A folder of pipelines, in place of those that ship.", metavar="DIR"),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Where the page is, on 127.0.0.1; 1024 to 65535.")
    ] = 8501,
    max_upload: Annotated[
        str, typer.Option(help="Largest file to take, such as 100M or 2G.", metavar="SIZE")
    ] = "512M",
) -> None:
    """Play with style transfer in a browser.

    The page is served to this machine alone. One job runs at a time; what was uploaded and made
    is removed when its tab is closed, and when the page ends (Ctrl-C).
    """
    if not 1024 <= port <= 65535:
        raise typer.BadParameter(f"--port {port}: wanted 1024 to 65535")
    from vidstyle.app.choices import PageSettings
    from vidstyle.app.server import serve
    from vidstyle.runner.config.shipped import shipped_folder
    from vidstyle.runner.plan.memory import parse_size

    settings = PageSettings(
        pipelines=pipelines or shipped_folder(),
        images=images,
        style_images=styles,
        max_upload=parse_size(max_upload, "--max-upload"),
    )
    ended_by = serve(
        settings, port=port, ready=lambda address: say(f"the page is at {address}; Ctrl-C ends it")
    )
    code = 128 + ended_by
    # Of what is interrupted otherwise a line tells that the destination is untouched.
    raise SystemExit(code) if ended_by == signal.SIGINT else typer.Exit(code)
