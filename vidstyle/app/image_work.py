"""Painting a photo by optimization, in the worker process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle.app.news import Made, Stage, Step, Tell
from vidstyle.app.tasks import IMAGE, ImageTask
from vidstyle.core.errors import UsageError
from vidstyle.models.loss.backbone import Backbone, LayerError, load_backbone
from vidstyle.models.loss.loss_options import LossOptions
from vidstyle.models.optimization.gatys import OptimizationStep, Watch, stylize
from vidstyle.models.optimization.options import DescentOptions
from vidstyle.models.optimization.task import OptimizationTask, StyleReference
from vidstyle.runner.plan.device import resolve_device
from vidstyle.stages.decode.image_file import read_image
from vidstyle.training.previews import write_image

_SHOWN_EVERY_SECONDS = 0.8


def stylize_image(task: ImageTask, tell: Tell) -> None:
    """Paint, and put the image so far into the folder about once a second.

    Raises a VidstyleError.
    """
    tell(Stage(title="Loading"))
    content, style_image = (_sized(path, task.size) for path in (task.content, task.style_image))
    device = resolve_device("auto", needs_torch=True)
    backbone = load_backbone(task.backbone).to(device)
    content, style_image = content.to(device), style_image.to(device)
    tell(Stage(title="Painting"))
    show = _shown(task, content, tell)
    # The painting begins at the photo, and the first step takes longest.
    show(content)
    try:
        stylized = stylize(
            backbone,
            OptimizationTask(content, (StyleReference(image=style_image),)),
            losses=_losses(task, backbone),
            options=DescentOptions(steps=task.steps),
            watch=_watch(show, tell),
        )
    except LayerError as error:
        raise UsageError(f"{error}: choose a larger size, or another network") from error
    show(stylized.image)


def _losses(task: ImageTask, backbone: Backbone) -> LossOptions:
    feature_layers = backbone.default_style_layers
    weights = spread(task.layer_weights, len(feature_layers))
    return LossOptions(
        style_weight=task.style_weight,
        variation_weight=task.variation,
        style_layers=dict(zip(feature_layers, weights, strict=True)),
    )


def spread(weights: tuple[float, ...], count: int) -> list[float]:
    """Weights of so many layers, on the line through the given ones from fine to coarse."""
    places = np.linspace(0, len(weights) - 1, count)
    return [float(weight) for weight in np.interp(places, range(len(weights)), weights)]


def _watch(show: Callable[[torch.Tensor], None], tell: Tell) -> Watch:
    shown = time.monotonic()

    def watch(progress: OptimizationStep) -> bool:
        nonlocal shown
        tell(Step(done=progress.step, total=progress.steps))
        if progress.step == 1 or time.monotonic() - shown >= _SHOWN_EVERY_SECONDS:
            show(progress.image())
            shown = time.monotonic()
        return True

    return watch


def _shown(task: ImageTask, content: torch.Tensor, tell: Tell) -> Callable[[torch.Tensor], None]:
    """Writes an image (1, 3, H, W) as it is at the task's strength."""

    def show(stylized: torch.Tensor) -> None:
        mixed = 255 * content.lerp(stylized, task.strength)[0].permute(1, 2, 0).cpu()
        write_image(task.folder / IMAGE, mixed.round().to(torch.uint8).numpy())
        tell(Made(name=IMAGE))

    return show


def _sized(path: Path, longest: int) -> torch.Tensor:
    """An image (1, 3, H, W) of that longer side, RGB in [0, 1]."""
    colors = read_image(path, advice="make it smaller").colors
    factor = longest / max(colors.shape[:2])
    height, width = (max(1, round(length * factor)) for length in colors.shape[:2])
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    fitted = cv2.resize(colors, (width, height), interpolation=kind).clip(0, 1)
    return (
        torch.from_numpy(fitted)
        .permute(2, 0, 1)[None]
        .contiguous(memory_format=torch.channels_last)
    )
