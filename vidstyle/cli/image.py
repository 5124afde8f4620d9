"""``vidstyle image``: one image stylized by optimization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer

from vidstyle.cli import shared_options as shared
from vidstyle.cli.command_options import as_command
from vidstyle.cli.model_options import add_options, parse_number, validate_options
from vidstyle.cli.waiting import show_waiting
from vidstyle.core.errors import UsageError
from vidstyle.models.optimization.options import StillOptions


def register(app: typer.Typer) -> None:
    app.command("image")(as_command(image, _SECTIONS, quiet=True))


_SECTIONS = {
    "Style": ("style_weights", "strength", "style_scale", "colors", "mask"),
    "Optimization": (
        "size",
        "levels",
        "steps",
        "optimizer",
        "learning_rate",
        "tolerance",
        "start",
        "seed",
    ),
    "Loss": (
        "style_weight",
        "content_weight",
        "structure_weight",
        "variation_weight",
        "variation",
        "range_penalty_weight",
    ),
    "Loss network": (
        "backbone",
        "pooling",
        "style_layers",
        "content_layers",
        "style_scales",
        "weights",
        "offline",
    ),
    "While it works": ("preview_every", "progress"),
    "Computation": ("device", "precision", "max_memory"),
}


# Each of ``given`` is an option of its own; there is no frame before.
@add_options(StillOptions, skip=("style", "temporal_weight"))
def image(
    content: Annotated[Path, typer.Argument(help="The image to stylize.", metavar="CONTENT")],
    styles: Annotated[
        list[Path], typer.Argument(help="Style images to learn from.", metavar="STYLE...")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The image to write.", metavar="OUT")
    ],
    given: Mapping[str, Any],
    style_weights: Annotated[
        str | None,
        typer.Option(
            help="Weights of several style images, relative to each other; alike unless given.",
            metavar="W,W,...",
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Stylize only where this image is white.", metavar="FILE")
    ] = None,
    device: shared.Device = "auto",
    max_memory: Annotated[
        str,
        typer.Option(help="Memory that it may take, such as 6G.", metavar="SIZE"),
    ] = "4G",
    preview_every: Annotated[
        tuple[int, Path] | None,
        typer.Option(help="Write the image so far, every so many steps.", metavar="N DIR"),
    ] = None,
    progress: Annotated[
        Path | None, typer.Option(help="A preview video of the steps.", metavar="FILE.gif|.mp4")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    json: shared.Json = False,
) -> None:
    """Stylize an image by optimization, in minutes.

    Ctrl-C ends it early: the image so far is written, and the exit code is 130.
    """
    from vidstyle.cli.image_files import check_output
    from vidstyle.cli.image_request import ImageRequest, check_request
    from vidstyle.runner.plan.memory import parse_size

    if "learning_rate" in given and given.get("optimizer") != "adam":
        raise UsageError("--learning-rate is of adam alone: add --optimizer adam, or leave it out")
    options = validate_options(StillOptions, {**given, "style": _mix(styles, style_weights)})
    inputs = [content, *styles, *([mask] if mask else [])]
    check_output(output, overwrite=overwrite, inputs=inputs)
    request = ImageRequest(
        content=content,
        output=output,
        mask=mask,
        device=device,
        budget=parse_size(max_memory, "--max-memory"),
        previews=preview_every,
        preview_video=progress,
        overwrite=overwrite,
        as_json=json,
    )
    with show_waiting("loading PyTorch ...", as_json=json):
        checked = check_request(request, options)
        # Only now, since it imports torch.
        from vidstyle.cli.image_optimization import stylize_image

    stylize_image(request, checked)


def _mix(style_images: Sequence[Path], weights: str | None) -> dict[str, float]:
    """The style images with their weights. Raises UsageError where the numbers do not fit."""
    if weights is None:
        return {str(path): 1.0 for path in style_images}
    where, parts = f"--style-weights {weights}", weights.split(",")
    if len(parts) != len(style_images):
        raise UsageError(
            f"{where}: wanted one number for each style image, {len(style_images)} in all"
        )
    numbers = [parse_number(part, where) for part in parts]
    if min(numbers) < 0 or not 0 < sum(numbers) < inf:
        raise UsageError(f"{where}: wanted numbers from 0 on, and one of them above 0")
    return {str(path): number for path, number in zip(style_images, numbers, strict=True)}
