"""``vidstyle stabilize``: a clip that was stylized elsewhere, made temporally consistent."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import shared_options as given


def register(app: typer.Typer) -> None:
    app.command("stabilize")(stabilize)


def stabilize(
    original: Annotated[
        Path, typer.Argument(help="The clip before stylization.", metavar="ORIGINAL")
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
        Path | None,
        typer.Option("-o", "--output", help="Output file.", metavar="OUT"),
    ] = None,
    set_: given.Set = None,
    consistency: given.Consistency = None,
    codec: given.Codec = None,
    crf: given.Crf = None,
    preset: given.Preset = None,
    device: given.Device = "auto",
    frames: given.Frames = None,
    redo: given.Redo = False,
    keep: given.Keep = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing output, whoever made it.")
    ] = False,
    resume: Annotated[
        bool, typer.Option(help="Resume an interrupted run, or start from frame 0.")
    ] = True,
    max_memory: given.MaxMemory = "4G",
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
        [*(set_ or []), f"inputs.image={image}"],
        consistency=consistency,
        codec=codec,
        crf=crf,
        preset=preset,
        device=device,
        frames=frames,
        redo=redo,
        keep=keep,
        overwrite=overwrite,
        resume=resume,
        max_memory=max_memory,
        dry_run=dry_run,
        json=json,
    )
