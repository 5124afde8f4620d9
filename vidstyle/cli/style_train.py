"""``vidstyle styles train``: a style image and photos in, a style file out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args, get_type_hints

import typer

from vidstyle.cli import shared_options as shared
from vidstyle.cli.model_options import add_options, validate_options
from vidstyle.cli.option_values import check_new
from vidstyle.cli.terminal import say_unless_quiet
from vidstyle.cli.waiting import show_waiting
from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.loss.loss_options import WeightsOptions
from vidstyle.runner.config.suggest import abbreviate, did_you_mean
from vidstyle.training.settings import PRESETS, TrainingSettings

if TYPE_CHECKING:
    from vidstyle.cli.step_progress import ShowStep
    from vidstyle.training.pair_choice import PairChoice
    from vidstyle.training.watch import TrainingStep, Watcher


SECTIONS = {
    "Card of the style": ("title", "credit", "license_name"),
    "Training": (
        "iterations",
        "batch",
        "crop",
        "style_image_side",
        "learning_rate",
        "decay",
        "ramp",
        "seed",
    ),
    "Network": ("architecture", "width", "initial_weights"),
    "Loss": (
        "style_weight",
        "content_weight",
        "content_target",
        "structure_weight",
        "variation_weight",
        "variation",
        "range_penalty_weight",
    ),
    "Temporal consistency": ("pairs", "temporal_weight", "noise"),
    "Loss network": (
        "backbone",
        "second_backbone",
        "pooling",
        "style_layers",
        "content_layers",
        "style_scales",
        "weights",
        "offline",
    ),
    "While it works": ("previews", "preview_every", "tensorboard"),
    "Computation": ("device", "precision"),
}


# Each of ``given`` is an option of its own.
@add_options(TrainingSettings, WeightsOptions)
def train(
    style_image: Annotated[
        Path, typer.Argument(help="An image of the style.", metavar="STYLE_IMAGE")
    ],
    photos: Annotated[Path, typer.Option(help="A folder of photos to train on.", metavar="DIR")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The style file to write.", metavar="FILE")
    ],
    given: Mapping[str, Any],
    preset: Annotated[
        str,
        typer.Option(
            help="Settings to start from, which the other options change: default, johnson-2016 or"
            " instance-norm.",
            metavar="NAME",
        ),
    ] = "default",
    pairs: Annotated[
        str,
        typer.Option(
            help="What temporal consistency is learned from: motion (photos that are moved),"
            " sceneflow:DIR, or video:FILE_OR_DIR.",
            metavar="SOURCE",
        ),
    ] = "motion",
    device: shared.Device = "auto",
    tensorboard: Annotated[
        Path | None, typer.Option(help="Write TensorBoard logs here.", metavar="DIR")
    ] = None,
    previews: Annotated[
        Path | None,
        typer.Option(help="Write held-out photos as they are stylized so far.", metavar="DIR"),
    ] = None,
    preview_every: Annotated[int, typer.Option(min=1, help="Steps between previews.")] = 250,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume from FILE's checkpoint, if there is one.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    title: Annotated[str, typer.Option(help="Title of the style, for people.")] = "",
    credit: Annotated[str, typer.Option(help="Artist, title and year of the style image.")] = "",
    license_name: Annotated[
        str, typer.Option("--license", help="License of the style image.")
    ] = "",
) -> None:
    """Train a style from a style image.

    It takes minutes to hours. A training that was interrupted resumes with --resume.
    """
    check_new(output, overwrite=overwrite, inputs=[style_image])
    checkpoint = output.with_suffix(".checkpoint")
    from vidstyle.cli.interruption import stopping_softly
    from vidstyle.cli.style_checkpoint import check_checkpoint, resumable

    check_checkpoint(checkpoint, resume=resume, overwrite=overwrite)
    settings, weights = read_settings(preset, given)
    from vidstyle.models.loss.loss_options import find_weights_file
    from vidstyle.runner.plan.device import resolve_device
    from vidstyle.runner.storage.destination import Destination

    with Destination(output, overwrite).reserved(), resumable(checkpoint):
        from vidstyle.training.photos import list_photos

        with show_waiting("loading PyTorch ..."):
            # Before folders are made for a call that cannot work.
            chosen, torch_device = pairs_of(pairs), resolve_device(device, needs_torch=True)
            # Before a loss network is downloaded.
            list_photos(photos)
            settings = settings.resolve_auto(torch_device, weights.weights)
        assert settings.backbone != "auto"
        file = find_weights_file(settings.backbone, weights.weights, offline=weights.offline)
        others = _watchers(tensorboard, previews)
        say_unless_quiet(_start_line(settings, file, torch_device))
        from vidstyle.cli.step_progress import losses_line, show_steps
        from vidstyle.models.style.style_file import Credit
        from vidstyle.training.loop import train_style
        from vidstyle.training.watch import Watchers

        with (
            show_steps(average=50) as show,
            closing(Watchers(_ShownSteps(show), *others)) as watchers,
            stopping_softly() as stop,
        ):
            info = train_style(
                settings,
                style_image=style_image,
                photos=photos,
                destination=output,
                pairs=chosen,
                credit=Credit(title or output.stem, credit, license_name),
                weights=file,
                device=torch_device,
                resume=resume,
                preview_every=preview_every,
                watcher=watchers,
                stop=stop,
            )
    say_unless_quiet(f"held-out photos: {losses_line(info.losses)}")
    say_unless_quiet(f"wrote {output}")


def pairs_of(text: str) -> PairChoice:
    """The value of ``--pairs``: ``motion``, or ``kind:path``.

    Raises UsageError, and InputError for a path of nothing.
    """
    from vidstyle.training.pair_choice import MOTION, PairChoice

    kind, colon, path = text.partition(":")
    kinds = get_args(get_type_hints(PairChoice)["kind"])
    wanted = ", ".join(k if k == MOTION.kind else f"{k}:PATH" for k in kinds)
    if kind not in kinds or bool(path) != (kind != MOTION.kind) or (colon and not path):
        raise UsageError(f"--pairs {abbreviate(text)}: wanted {wanted}")
    if not path:
        return MOTION
    if not Path(path).exists():
        raise InputError(f"--pairs {abbreviate(text)}: there is no {abbreviate(path)}")
    return PairChoice(cast("Any", kind), Path(path))


def read_settings(preset: str, given: Mapping[str, Any]) -> tuple[TrainingSettings, WeightsOptions]:
    """The preset's settings, changed by options.

    Args:
        preset: a name of ``PRESETS``.
        given: options that were typed, by field.

    Raises:
        UsageError: there is no such preset, or an option cannot be.
    """
    if preset not in PRESETS:
        raise UsageError(f"there is no preset {abbreviate(preset)}.{did_you_mean(preset, PRESETS)}")
    own = {name: value for name, value in given.items() if name in WeightsOptions.model_fields}
    rest = {name: value for name, value in given.items() if name not in own}
    settings = validate_options(TrainingSettings, rest, PRESETS[preset])
    return settings, validate_options(WeightsOptions, own)


def _start_line(settings: TrainingSettings, weights: Path, device: str) -> str:
    """``vgg16 (/w/vgg16-397923af.pth), bfloat16 on cpu, fast with 16 channels, 2000 steps``."""
    return (
        f"{settings.backbone} ({weights}), {settings.precision} on {device},"
        f" {settings.architecture} with {settings.width} channels, {settings.iterations} steps"
    )


class _ShownSteps:
    """A watcher that shows the steps of a training."""

    def __init__(self, show: ShowStep) -> None:
        self._show = show

    def step(self, step: TrainingStep) -> None:
        from vidstyle.cli.step_progress import StepView

        self._show(StepView(step.iteration, step.iterations, step.losses, seconds=step.seconds))

    def image(self, iteration: int, name: str, image: object) -> None:
        return None

    def close(self) -> None:
        return None


def _watchers(tensorboard: Path | None, previews: Path | None) -> list[Watcher]:
    found: list[Watcher] = []
    if tensorboard is not None:
        from vidstyle.training.tensorboard import TensorBoard

        found.append(TensorBoard(tensorboard))
    if previews is not None:
        from vidstyle.training.previews import PreviewImages

        found.append(PreviewImages(previews))
    return found
