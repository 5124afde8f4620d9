"""``vidstyle styles import`` and ``export``: styles from other projects, and for them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from vidstyle.cli.completion import complete_style
from vidstyle.cli.option_values import check_new
from vidstyle.cli.terminal import say


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="Weights of pytorch/examples fast_neural_style or lengstrom fast-style-transfer:"
            " .pth, .model or .safetensors.",
            metavar="FILE",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The style file to make; otherwise NAME.safetensors in the folder styles of"
            " VIDSTYLE_WEIGHTS.",
            metavar="FILE",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the style, in pipelines; otherwise the file's.")
    ] = None,
    channels: Annotated[
        Literal["rgb", "bgr"] | None,
        typer.Option(help="The order that the network takes; otherwise what its layout had."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    title: Annotated[str, typer.Option(help="Of the style, for people.")] = "",
    credit: Annotated[str, typer.Option(help="Artist, title and year of the style image.")] = "",
    license_name: Annotated[str, typer.Option("--license", help="Of the style image.")] = "",
) -> None:
    """Make a style of a network that another project trained."""
    named = _name(name, output or file)
    destination = output or _in_weights_folder(named)
    _check_destination(destination, file, overwrite=overwrite, suffix=".safetensors")
    from vidstyle.models.style.style_file import Credit, save_style
    from vidstyle.models.style.style_import import import_style

    found = import_style(
        file, name=named, credit=Credit(title or named, credit, license_name), channels=channels
    )
    save_style(destination, found.style.info, found.style.module)
    for line in (f"recognized {found.recognized}", *found.ignored, f"wrote {destination}"):
        say(line)


def export(
    style: Annotated[
        str,
        typer.Argument(
            help="A name of `vidstyle styles list`, or a file.",
            metavar="STYLE",
            autocompletion=complete_style,
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The .onnx file to make.", metavar="FILE")
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Write a style as ONNX, for other programs.

    The network takes images of 8x8 pixels and up.
    """
    _check_destination(output, Path(style), overwrite=overwrite, suffix=".onnx")
    from vidstyle.models.style.architectures import SMALLEST_SIDE
    from vidstyle.models.style.graph_export import write_onnx
    from vidstyle.models.style.style_file import load_style
    from vidstyle.models.style.styles import find_style

    write_onnx(load_style(find_style(style)), output)
    say(f"takes RGB in [0, 1], (N, 3, H, W), any H and W from {SMALLEST_SIDE} on")
    say(f"wrote {output}")


def _name(given: str | None, file: Path) -> str:
    """As it was given, or made of a file's name: lower case, words joined by hyphens."""
    made = re.sub(r"[\W_]+", "-", (given or file.stem).lower()).strip("-")
    if given is None and made:
        return made
    if given != made or not made:
        raise typer.BadParameter(
            f"--name {given or ''}: a style's name is lower case, such as great-wave"
        )
    return made


def _in_weights_folder(name: str) -> Path:
    from vidstyle.core.errors import OutputError, UsageError

    folder = os.environ.get("VIDSTYLE_WEIGHTS")
    if not folder:
        raise UsageError(
            "where to put the style? Pass -o FILE.safetensors, or set VIDSTYLE_WEIGHTS to a folder"
        )
    if not Path(folder).is_dir():
        raise OutputError(f"the folder {folder} of VIDSTYLE_WEIGHTS does not exist; make it first")
    styles = Path(folder) / "styles"
    try:
        styles.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {styles}: {error.strerror}") from error
    return styles / f"{name}.safetensors"


def _check_destination(path: Path, source: Path, *, overwrite: bool, suffix: str) -> None:
    from vidstyle.core.errors import UsageError

    if path.suffix != suffix:
        raise UsageError(f"the output {path} must end in {suffix}")
    check_new(path, overwrite=overwrite, inputs=[source])
