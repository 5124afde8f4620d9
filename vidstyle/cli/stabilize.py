"""``vidstyle stabilize``: a clip that was stylized elsewhere, made temporally consistent."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.command_options import as_command
from vidstyle.cli.option_groups import (
    CodecOptions,
    ComputationOptions,
    ExistingOptions,
    FrameOptions,
    StyleOptions,
)
from vidstyle.cli.pipes import StreamOptions, clip_path


def register(app: typer.Typer) -> None:
    app.command("stabilize")(
        as_command(stabilize, {ExistingOptions.TITLE: ("resume",)}, quiet=True)
    )


def stabilize(
    original: Annotated[
        Path,
        typer.Argument(help="The clip before stylization.", metavar="ORIGINAL", parser=clip_path),
    ],
    stylized: Annotated[
        Path,
        typer.Argument(
            help="The same clip, stylized by any tool: a video or a folder of images. Its frames"
            " are found by their time; its size and frame rate may differ.",
            metavar="STYLIZED",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Output file. If not set: ORIGINAL-stabilize.mp4 in the current folder.",
            metavar="OUT",
        ),
    ] = None,
    *,
    consistency: given.Consistency = None,
    frames: given.Frames = None,
    codec: CodecOptions,
    existing: ExistingOptions,
    resume: given.Resume = True,
    computation: ComputationOptions,
    set_: given.Set = None,
    dry_run: given.DryRun = False,
    json: given.Json = False,
) -> None:
    """Make a clip that any tool stylized temporally consistent.

    The motion comes from the original, and so does the sound. Short for `vidstyle run stabilize
    ORIGINAL --set inputs.image=STYLIZED`.
    """
    from vidstyle.cli.run import run
    from vidstyle.runner.config.shipped import pipeline_file

    image = json_module.dumps(str(stylized), ensure_ascii=False)
    run(
        pipeline_file(Path("stabilize")),
        [original],
        output,
        look=StyleOptions(consistency=consistency),
        frame=FrameOptions(frames=frames),
        codec=codec,
        stream=StreamOptions(),
        existing=existing,
        resume=resume,
        computation=computation,
        set_=[*(set_ or []), f"inputs.image={image}"],
        dry_run=dry_run,
        json=json,
    )
