"""``vidstyle styles train``: a painting and photos in, a style file out."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.style_output import check_new
from vidstyle.cli.terminal import say

if TYPE_CHECKING:
    from vidstyle.training.watch import Watcher


def train(
    style_image: Annotated[Path, typer.Argument(help="An image of the style.", metavar="PAINTING")],
    photos: Annotated[Path, typer.Option(help="A folder of photos to train on.", metavar="DIR")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The style file to make.", metavar="FILE")
    ],
    preset: Annotated[
        str, typer.Option(help="default, johnson-2016 or instance-norm.", metavar="NAME")
    ] = "default",
    strength: Annotated[
        float | None,
        typer.Option(
            help="At 2 the style counts twice as much against the photo's content as at 1;"
            " up to 4.",
            metavar="S",
        ),
    ] = None,
    iterations: Annotated[int | None, typer.Option(help="Steps of the training.")] = None,
    architecture: Annotated[
        str | None, typer.Option(help="fast, johnson or johnson-fractional.", metavar="NAME")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Channels of the finest layers.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="vgg16, vgg19 or squeezenet.", metavar="NAME")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Photos a step.")] = None,
    crop: Annotated[int | None, typer.Option(help="Side of a photo's crop in pixels.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed, another result.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change any setting: decay=0.5. Counts after the other options; may be repeated.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    pairs: Annotated[
        str,
        typer.Option(
            help="What steadiness is learned from: motion (photos that are moved),"
            " sceneflow:DIR, or video:FILE_OR_DIR.",
            metavar="SOURCE",
        ),
    ] = "motion",
    weights: Annotated[
        Path | None,
        typer.Option(
            help="The folder with the backbone's weights; otherwise VIDSTYLE_WEIGHTS, or a"
            " download.",
            metavar="DIR",
        ),
    ] = None,
    device: given.Device = "auto",
    tensorboard: Annotated[
        Path | None, typer.Option(help="Write TensorBoard logs here.", metavar="DIR")
    ] = None,
    previews: Annotated[
        Path | None,
        typer.Option(help="Write held-out photos as they are painted so far.", metavar="DIR"),
    ] = None,
    preview_every: Annotated[int, typer.Option(min=1, help="Steps between previews.")] = 250,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from FILE's checkpoint, if there is one.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    title: Annotated[str, typer.Option(help="Of the style, for people.")] = "",
    credit: Annotated[str, typer.Option(help="Artist, title and year of the painting.")] = "",
    license_name: Annotated[str, typer.Option("--license", help="Of the style image.")] = "",
) -> None:
    """Train a style from a painting: minutes to hours, and resumable.

    A preset is a set of settings: vidstyle's own, or a published recipe. The other options change
    it.
    """
    check_new(output, overwrite=overwrite, inputs=[style_image])
    checkpoint = output.with_suffix(".checkpoint")
    _check_checkpoint(checkpoint, resume=resume, overwrite=overwrite)
    from vidstyle.cli.style_settings import settings_of
    from vidstyle.cli.style_stop import resumable

    options = {
        "strength": strength,
        "iterations": iterations,
        "architecture": architecture,
        "width": width,
        "backbone": backbone,
        "batch": batch,
        "crop": crop,
        "seed": seed,
    }
    settings = settings_of(preset, options, set_ or ())
    from vidstyle.runner.storage.destination import Destination

    with Destination(output, overwrite).reserved(), resumable(checkpoint):
        from vidstyle.cli.style_pairs import pairs_of
        from vidstyle.cli.style_progress import losses_line, progress_watcher
        from vidstyle.models.style.style_file import Credit
        from vidstyle.runner.plan.device import resolve_device
        from vidstyle.training.loop import train_style
        from vidstyle.training.watch import Watchers

        # Before folders are made for a call that cannot work.
        chosen, position = pairs_of(pairs), resolve_device(device, needs_torch=True)
        others = _watchers(tensorboard, previews)
        with progress_watcher() as shown, closing(Watchers(shown, *others)) as watchers:
            info = train_style(
                settings,
                style_image=style_image,
                photos=photos,
                destination=output,
                pairs=chosen,
                credit=Credit(title or output.stem, credit, license_name),
                weights=weights,
                device=position,
                resume=resume,
                preview_every=preview_every,
                watcher=watchers,
            )
    say(f"held-out photos: {losses_line(info.losses)}")
    say(f"wrote {output}")


def _check_checkpoint(checkpoint: Path, *, resume: bool, overwrite: bool) -> None:
    """Say where the training begins; what an earlier one has kept is not lost unasked."""
    from vidstyle.core.errors import OutputError
    from vidstyle.models.weights.safetensors_file import read_metadata

    if not checkpoint.exists():
        if resume:
            say(f"there is no {checkpoint}: starting anew")
    elif resume:
        steps = read_metadata(checkpoint).get("iteration", "0")
        say(f"going on after {steps} steps")
    elif not overwrite:
        raise OutputError(
            f"{checkpoint} is there from an earlier training: pass --resume to go on, or"
            " --overwrite to start anew"
        )


def _watchers(tensorboard: Path | None, previews: Path | None) -> list[Watcher]:
    found: list[Watcher] = []
    if tensorboard is not None:
        from vidstyle.training.tensorboard import TensorBoard

        found.append(TensorBoard(tensorboard))
    if previews is not None:
        from vidstyle.training.previews import PreviewImages

        found.append(PreviewImages(previews))
    return found
