"""``vidstyle compare``: a page to see two clips in one frame."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import say


def register(app: typer.Typer) -> None:
    app.command("compare")(compare)


def compare(
    before: Annotated[Path, typer.Argument(help="A clip, such as the source.", metavar="BEFORE")],
    after: Annotated[Path, typer.Argument(help="A clip of the same length.", metavar="AFTER")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The page to write.", metavar="OUT.html")
    ],
    frames: given.Frames = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    json: given.Json = False,
) -> None:
    """Write a page that shows two clips, split by a line.

    The page needs no other file. It shows small videos of the clips, of 12 MiB together.
    """
    import json as json_module

    from vidstyle.report.comparison import write_comparison
    from vidstyle.runner.storage.destination import Destination

    interval = given.indices_of(frames, before)
    destination = Destination(output, overwrite)
    for clip in (before, after):
        destination.check(clip)
    count = write_comparison(destination, before, after, interval)
    if json:
        row = {"event": "done", "output": str(output), "frames": count}
        print(json_module.dumps(row), flush=True)
    else:
        say(f"wrote {output}: {count} frames")
