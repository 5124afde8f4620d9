"""Options that several commands take; ``option_values`` reads their text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli.completion import (
    complete_codec,
    complete_device,
    complete_pipeline,
    complete_style,
)


def _pipeline_file(named: Path) -> Path:
    from vidstyle.runner.config.shipped import pipeline_file

    return pipeline_file(named)


PipelineFile = Annotated[
    Path,
    typer.Argument(
        help="A YAML file, or a name from `vidstyle pipelines list`.",
        metavar="PIPELINE",
        callback=_pipeline_file,
        autocompletion=complete_pipeline,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change an option of a stage, as in blend.strength=0.5. May be repeated.",
        metavar="STAGE.OPTION=VALUE",
    ),
]
Style = Annotated[
    list[str] | None,
    typer.Option(
        help="The style: a name from `vidstyle styles list`, a style file, an image to learn it"
        " from, or a mix such as great-wave:0.7,starry-night:0.3. Several images, each with its"
        " own --style, are learned as one style.",
        metavar="NAME|FILE",
        autocompletion=complete_style,
    ),
]
Strength = Annotated[
    float | None,
    typer.Option(
        help="Strength of the stylization, 0 to 1. Short for --set stylize.strength=X.",
        metavar="X",
    ),
]
Consistency = Annotated[
    float | None,
    typer.Option(
        help="Temporal consistency, 0 to 1: higher flickers less. Short for"
        " --set blend.strength=X.",
        metavar="X",
    ),
]
StrokeSize = Annotated[
    str | None,
    typer.Option(
        help="Size of the strokes: 2 is twice as large, auto as large as at 640x360. Short for"
        " stylize.stroke_size, and for geometry/reduce and geometry/restore around the stages"
        " up to the blend.",
        metavar="X|auto",
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        help="Size of the frames, such as 1280x720, 720p (the shorter side) or 50%. Short for a"
        " stage geometry/scale behind the source.",
        metavar="SIZE",
    ),
]
KeepColors = Annotated[
    bool,
    typer.Option(
        "--keep-colors",
        help="Keep the colors of the clip. Short for a stage filter/keep-colors before the sink.",
    ),
]
Mask = Annotated[
    str | None,
    typer.Option(
        help="Stylize only where this image or video is white. Short for a stage filter/mask before"
        " the sink.",
        metavar="FILE",
    ),
]
InvertMask = Annotated[
    bool,
    typer.Option(
        "--invert-mask",
        help="Stylize where the mask is black.",
    ),
]
Codec = Annotated[
    str | None,
    typer.Option(
        help="Video codec, such as libx265. Without it the output's suffix chooses one. Short for"
        " --set encode.codec=NAME.",
        metavar="NAME",
        autocompletion=complete_codec,
    ),
]
Crf = Annotated[
    int | None,
    typer.Option(
        help="Quality of the codec: lower is better and larger. Short for --set encode.crf=N.",
        metavar="N",
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        help="Speed of the codec, such as slow. Short for --set encode.preset=NAME.",
        metavar="NAME",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        help="auto, cpu, cuda or cuda:N.", metavar="DEVICE", autocompletion=complete_device
    ),
]
Raw = Annotated[
    str | None,
    typer.Option(
        help="What the frames of standard input are where they have no header, such as"
        " 640x360@25:rgb24.",
        metavar="SIZE@RATE:FORMAT",
    ),
]
PipeFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="What -o - writes: y4m, mkv or raw. Without it y4m and raw where the input is that,"
        " else mkv.",
        metavar="NAME",
    ),
]
MaxMemory = Annotated[
    str,
    typer.Option(help="Memory that a run may use, such as 3G or 800M.", metavar="SIZE"),
]
Frames = Annotated[
    str | None,
    typer.Option(
        help="Only frames A to B - 1, counted from 0, or those that begin between two times, such"
        " as 3s:8s or 1:30-2:00. Where decode's option thin_to leaves frames out, numbers count"
        " those that stay.",
        metavar="A:B",
    ),
]
SplitShots = Annotated[
    int | None,
    typer.Option(
        help="Cut shots after each N frames into parts that are computed apart, so that machines"
        " can share a long shot. Changes pixels where a part begins. At least 33: a part starts 16"
        " frames early, and must be longer than twice that.",
        metavar="N",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        help="Fail if a stage needs longer than this per frame, in seconds.",
        min=0.1,
        metavar="S",
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Store optical flow and stylized frames in this folder, and reuse them.",
        metavar="DIR",
    ),
]
CacheSize = Annotated[
    float,
    typer.Option(help="Largest size of --cache, in GiB.", min=0.001, max=1e6, metavar="GIB"),
]
Jobs = Annotated[
    str,
    typer.Option(
        "--jobs",
        help="Clips that are stylized at the same time. auto: one for each core, as far as"
        " --max-memory goes.",
        metavar="N|auto",
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        help="How often a clip is tried again after a crash, or where memory ran out.",
        min=0,
        max=100,
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        help="Only clips whose path below FOLDER matches, written as in a .gitignore file. May be"
        " repeated.",
        metavar="PATTERN",
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        help="Leave these clips out, written as for --include. '!PATTERN' takes back what a pattern"
        " before it matches.",
        metavar="PATTERN",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume/--no-resume", help="Resume an interrupted run, or start from frame 0."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace existing outputs, whoever made them.")
]
Redo = Annotated[bool, typer.Option("--redo", help="Make outputs again that other options made.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave outputs that other options made.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check everything and print the plan. Writes nothing.")
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option("--plugins", help="A folder of stages. May be repeated.", metavar="DIR"),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print no progress and no results. Notes and errors stay."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON only, on standard output.")]


Photos = Annotated[
    bool | None,
    typer.Option(
        "--photos/--no-photos",
        help="Whether each image of a folder is a photo of its own, or all are the frames of a"
        " clip. Without either, they are photos if they are not numbered or differ in size.",
        show_default=False,
    ),
]
