"""``vidstyle image``: a still painted by optimization."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vidstyle.cli import shared_options as given


def register(app: typer.Typer) -> None:
    app.command("image")(image)


def image(
    content: Annotated[Path, typer.Argument(help="The image to paint.", metavar="CONTENT")],
    styles: Annotated[
        list[Path], typer.Argument(help="Paintings to learn from.", metavar="STYLE...")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The image to make.", metavar="OUT")
    ],
    size: Annotated[
        int, typer.Option(help="Longer side of the result in pixels, 100 to 4096.")
    ] = 500,
    steps: Annotated[int, typer.Option(help="Steps of the optimizer at most, 1 to 10000.")] = 300,
    strength: Annotated[
        float, typer.Option(help="Share of the painting in the result, 0 to 1.")
    ] = 1.0,
    style_weights: Annotated[
        str | None,
        typer.Option(
            help="Of several paintings against each other; alike unless given.", metavar="W,W,..."
        ),
    ] = None,
    style_scale: Annotated[
        float | None,
        typer.Option(
            help="Size of the paintings, 0.1 to 4: larger makes larger strokes; 1 unless given."
        ),
    ] = None,
    style_weight: Annotated[
        float | None,
        typer.Option(help="Of the style loss, which is 1 for an untouched image; 1 unless given."),
    ] = None,
    content_weight: Annotated[
        float | None, typer.Option(help="Of the content loss; 0.03 unless given.")
    ] = None,
    tv: Annotated[
        float | None, typer.Option("--tv", help="Of the total variation; 0.01 unless given.")
    ] = None,
    tv_kind: Annotated[
        Literal["squared", "absolute"] | None,
        typer.Option(help="'absolute' leaves edges sharp; squared unless given."),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="vgg16, vgg19, squeezenet, inception, densenet, resnet, convnext,"
            " xception or resnet-v2; vgg16 unless given.",
            metavar="NAME",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="The backbone's weights, a file or a folder; otherwise VIDSTYLE_WEIGHTS,"
            " or a download.",
            metavar="PATH",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Download nothing.")] = False,
    pooling: Annotated[
        Literal["max", "average"] | None,
        typer.Option(help="'average' is smoother; max unless given."),
    ] = None,
    style_layers: Annotated[
        str | None,
        typer.Option(
            help="Layers compared for style; the backbone's own unless given.",
            metavar="LAYER[=W],...",
        ),
    ] = None,
    content_layers: Annotated[
        str | None,
        typer.Option(
            help="Layers compared for content; the backbone's own unless given.",
            metavar="LAYER,...",
        ),
    ] = None,
    optimizer: Annotated[
        Literal["lbfgs", "adam"] | None, typer.Option(help="lbfgs unless given.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam; 0.02 unless given.")] = None,
    levels: Annotated[
        int | None,
        typer.Option(
            help="Sizes, each half the next, that are gone through, 1 to 4; 1 unless given."
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="End where the loss falls by less than this share over 20 steps; 0 unless given."
        ),
    ] = None,
    start: Annotated[
        Literal["content", "noise"], typer.Option(help="What the painting begins as.")
    ] = "content",
    seed: Annotated[int | None, typer.Option(help="Of the noise; 0 unless given.")] = None,
    colors: Annotated[
        Literal["style_image", "luminance", "transfer"] | None,
        typer.Option(
            help="'luminance' keeps the image's colors, 'transfer' gives them to the"
            " paintings first; painting unless given."
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Paint only where this image is white.", metavar="FILE")
    ] = None,
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"] | None,
        typer.Option(
            help="Of the convolutions: auto, unless given, is bfloat16 on a processor that has it."
        ),
    ] = None,
    device: given.Device = "auto",
    max_memory: Annotated[
        str,
        typer.Option(help="Memory that it may take, such as 6G.", metavar="SIZE"),
    ] = "4G",
    preview_every: Annotated[
        tuple[int, Path] | None,
        typer.Option(help="Write the image so far, every so many steps.", metavar="N DIR"),
    ] = None,
    progress: Annotated[
        Path | None, typer.Option(help="A film of how it came about.", metavar="FILE.gif|.mp4")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    json: given.Json = False,
) -> None:
    """Paint an image after paintings by optimization: minutes, and any loss network.

    Ctrl-C ends it early: what is painted so far is written, and the exit code is 130.
    """
    from vidstyle.cli.image_files import check_output
    from vidstyle.cli.image_memory import LEAST_SIZE, MOST_SIZE
    from vidstyle.cli.image_options import check_range, gatys_options, layers, shares
    from vidstyle.cli.image_request import Request, checked
    from vidstyle.runner.plan.memory import parse_size

    check_range("--size", size, LEAST_SIZE, MOST_SIZE)
    check_range("--steps", steps, 1, 10_000)
    check_range("--strength", strength, 0, 1)
    options = gatys_options(
        shares(styles, style_weights),
        {
            "style_scale": style_scale,
            "backbone": backbone,
            "weights": None if weights is None else str(weights),
            "offline": offline,
            "pooling": pooling,
            "style_layers": layers(style_layers, "--style-layers"),
            "content_layers": tuple(layers(content_layers, "--content-layers") or ()) or None,
            "style_weight": style_weight,
            "content_weight": content_weight,
            "variation": tv,
            "variation_kind": tv_kind,
            "colors": colors,
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "levels": levels,
            "tolerance": tolerance,
            "seed": seed,
            "precision": precision,
        },
    )
    inputs = [content, *styles, *([mask] if mask else [])]
    check_output(output, overwrite=overwrite, inputs=inputs)
    request = Request(
        content=content,
        output=output,
        size=size,
        steps=steps,
        strength=strength,
        start=start,
        mask=mask,
        device=device,
        budget=parse_size(max_memory, "--max-memory"),
        previews=preview_every,
        preview_video=progress,
        overwrite=overwrite,
        as_json=json,
    )
    found = checked(request, options)
    # Only now, since it imports torch.
    from vidstyle.cli.image_optimization import optimize_still

    optimize_still(request, found, options)
