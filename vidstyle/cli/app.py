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
        typer.Option(help="A folder of images to offer instead of the samples.", metavar="DIR"),
    ] = None,
    styles: Annotated[
        Path | None,
        typer.Option(
            help="A folder of style images to offer instead of the samples.", metavar="DIR"
        ),
    ] = None,
    pipelines: Annotated[
        Path | None,
        typer.Option(
            help="A folder of pipelines to offer instead of the shipped ones.", metavar="DIR"
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(help="The port of the page on 127.0.0.1, 1024 to 65535.")
    ] = 8501,
    max_upload: Annotated[
        str, typer.Option(help="Largest upload, such as 100M or 2G.", metavar="SIZE")
    ] = "512M",
) -> None:
    """Stylize images and clips in a browser.

    Only this machine can open the page. One job runs at a time. Uploads and results are deleted
    when their tab is closed, and when the page stops (Ctrl-C).
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
        settings,
        port=port,
        ready=lambda address: say(f"Open {address} in a browser; stop with Ctrl-C."),
    )
    code = 128 + ended_by
    # An interrupted run prints a line about its destination; here there is none.
    raise SystemExit(code) if ended_by == signal.SIGINT else typer.Exit(code)
