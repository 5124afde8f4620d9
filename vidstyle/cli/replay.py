"""``vidstyle replay``: an output is made again, and compared with what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.command_options import as_command
from vidstyle.cli.terminal import say, say_unless_quiet
from vidstyle.cli.waiting import show_waiting


def register(app: typer.Typer) -> None:
    app.command("replay")(as_command(replay, quiet=True))


def replay(
    made: Annotated[Path, typer.Argument(help="An output of vidstyle.", metavar="OUT")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Where to make it. If not set: at OUT if that is gone, else beside it.",
            metavar="NEW",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="auto, cpu, cuda or cuda:N, instead of the one that made it.", metavar="DEVICE"
        ),
    ] = None,
    plugins: given.Plugins = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing NEW.")
    ] = False,
    json: given.Json = False,
) -> None:
    """Make an output again from its manifest and compare the two."""
    from vidstyle.cli.interruption import (
        InterruptionListener,
        explain_interruption,
        stopping_softly,
    )
    from vidstyle.cli.progress import listener
    from vidstyle.core.errors import OutputError
    from vidstyle.runner.config.discovery import folders_from_environment
    from vidstyle.runner.replay import changes_since, make_again, make_replay

    folders = [*folders_from_environment(), *(plugins or [])]
    with show_waiting(f"comparing with the manifest of {made} ...", as_json=json):
        wanted = make_replay(made, to=output, device=device, overwrite=overwrite, plugins=folders)
        changes = list(changes_since(wanted))
    for change in changes:
        say(f"not as it was: {change}")
    with listener(as_json=json) as show:
        stored = InterruptionListener(show)
        with explain_interruption(stored.sentence), stopping_softly() as stop:
            found = make_again(wanted, stored, stop)
    if found.frames and found.packets:
        say_unless_quiet(f"equal: all {wanted.entry.frames} frames are those of {made}")
        return
    what = "sound, titles or times differ" if found.frames else "the frames differ"
    because = "; what is not as it was is listed above" if changes else ""
    raise OutputError(f"{wanted.job.output} is not equal to {made}: {what}{because}")
