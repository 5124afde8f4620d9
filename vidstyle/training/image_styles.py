"""A pipeline whose styles are images, and the same with the styles that are learned from them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from vidstyle.core.clip import Note
from vidstyle.core.errors import UsageError, WeightsError
from vidstyle.models.loss.backbone_table import BackboneName
from vidstyle.models.loss.loss_options import find_weights_file
from vidstyle.models.style.styles import base_network, is_image
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.places import locate_weights
from vidstyle.runner.config.keyframes import Keyframes
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.execution.events import Listener, NoteEvent, StyleStep
from vidstyle.runner.plan.device import resolve_device
from vidstyle.training.learn_style import check_images, learn_style
from vidstyle.training.style_cache import ImageStyle, find_image_style, learn_once
from vidstyle.training.watch import TrainingStep

_STYLE = "style"
_STAGE = "stylize/feedforward"
Written: TypeAlias = "str | Mapping[str, float] | tuple[str, ...]"
"""The option ``style``: a name, a mix, or images that are learned together."""
ImagesOf: TypeAlias = dict[tuple[str, ...], ImageStyle]
"""Styles by their images as written."""


@dataclass(frozen=True, slots=True)
class ImageStyles:
    """What a pipeline's images become."""

    pipeline: Pipeline
    """With style files in place of images. Those of ``missing`` are not there yet."""
    stand_in: Pipeline
    """The same with the network at which trainings start in place of what is missing: its plan
    is the same, and can be made before anything is learned."""
    missing: tuple[ImageStyle, ...]
    """To be learned."""
    backbone: BackboneName
    """The loss network that learns them."""


def find_image_styles(pipeline: Pipeline) -> ImageStyles | None:
    """Find the images among a pipeline's styles, and check all that learning them needs.

    Nothing is learned and nothing is downloaded.

    Args:
        pipeline: Read and validated.

    Returns:
        What they become; None where no style is an image.

    Raises:
        InputError: An image is missing, damaged or too large.
        UsageError: A list of styles has others than images.
        WeightsError: There are no weights of a loss network, and a style is to be learned.
    """
    styles: ImagesOf = {}
    for entry in pipeline.stages:
        for images in _images_of(entry):
            styles.setdefault(images, find_image_style([Path(name) for name in images]))
    if not styles:
        return None
    missing = {style.path: style for style in styles.values() if not style.is_learned()}
    backbone: BackboneName = "vgg16"
    for style in missing.values():
        check_images(style.images)
        backbone = _check_weights(style)
    files = {images: style.path for images, style in styles.items()}
    planned = {
        images: _base(style) if style.path in missing else style.path
        for images, style in styles.items()
    }
    return ImageStyles(
        pipeline=_with_files(pipeline, files),
        stand_in=_with_files(pipeline, planned),
        missing=tuple(missing.values()),
        backbone=backbone,
    )


def learn_missing(
    styles: ImageStyles,
    *,
    device: str = "auto",
    listen: Listener,
    begin: Callable[[ImageStyle], None] | None = None,
) -> None:
    """Learn what is missing and keep it in the user's cache.

    An interrupted call is resumed by the next one. Where another process learns a style, its
    result is waited for.

    Args:
        styles: From ``find_image_styles``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        listen: Called with each step, and with notes.
        begin: Called with each style before it is learned.

    Raises:
        DeviceError: There is no such device.
        OutputError: The cache cannot be written.
        InputError: An image cannot be read any more.
        WeightsError: The loss network is damaged.
    """
    resolved = resolve_device(device, needs_torch=True) if styles.missing else "cpu"
    for style in styles.missing:

        def learn(style: ImageStyle = style) -> None:
            started = time.monotonic()
            if begin is not None:
                begin(style)
            settings = style.settings.model_copy(update={"backbone": styles.backbone})
            learn_style(
                style.images,
                destination=style.path,
                settings=settings,
                weights=find_weights_file(styles.backbone, None, offline=True),
                device=resolved,
                title=", ".join(image.stem for image in style.images),
                watcher=_StepEvents(style, listen),
            )
            spent = round(time.monotonic() - started)
            listen(_note(f"learned {style.named} in {spent} s, kept as {style.path}"))

        def wait(style: ImageStyle = style) -> None:
            listen(_note(f"another process is learning {style.named}: waiting for it"))

        learn_once(style, learn, wait=wait)


class _StepEvents:
    """A watcher that passes steps on as events of a run."""

    def __init__(self, style: ImageStyle, listen: Listener) -> None:
        self._style, self._listen = style, listen

    def step(self, step: TrainingStep) -> None:
        self._listen(
            StyleStep(
                self._style.images, step.iteration, step.iterations, step.losses, step.seconds
            )
        )

    def image(self, iteration: int, name: str, image: object) -> None:
        return None

    def close(self) -> None:
        return None


def _note(text: str) -> NoteEvent:
    return NoteEvent(Note("style", text))


def _images_of(entry: StageEntry) -> Iterator[tuple[str, ...]]:
    """The images of a stage's styles, those together that are learned as one."""
    if entry.use != _STAGE:
        return
    written: Written = getattr(entry.options, _STYLE)
    if isinstance(written, tuple):
        if others := [name for name in written if not is_image(name)]:
            raise UsageError(
                f"stage {entry.name}: style images are learned together, and {others[0]} is not"
                " one: mix styles by weights, as in great-wave:0.7,image.jpg:0.3"
            )
        yield written
    else:
        names = [written] if isinstance(written, str) else written
        yield from ((name,) for name in names if is_image(name))


def _check_weights(style: ImageStyle) -> BackboneName:
    """The loss network, whose weights are there.

    Nothing is downloaded: a pipeline from somebody else may name an image, too.
    """
    backbone = style.settings.resolve_auto("cpu").backbone
    assert backbone != "auto"
    entry = CATALOG[backbone]
    if locate_weights(entry) is None:
        raise WeightsError(
            f"to learn the style of {style.named}, a loss network is needed: `vidstyle weights"
            f" pull {entry.name}` fetches {entry.address} ({entry.mebibytes:.0f} MiB), once"
        )
    return backbone


def _base(style: ImageStyle) -> Path:
    return base_network(style.settings.architecture, style.settings.width)


def _with_files(pipeline: Pipeline, files: Mapping[tuple[str, ...], Path]) -> Pipeline:
    stages = tuple(
        _entry_with_files(entry, files) if entry.use == _STAGE else entry
        for entry in pipeline.stages
    )
    return replace(pipeline, stages=stages)


def _entry_with_files(entry: StageEntry, files: Mapping[tuple[str, ...], Path]) -> StageEntry:
    written: Written = getattr(entry.options, _STYLE)
    keyframes = dict(entry.keyframes)
    if _STYLE in keyframes:
        points = [
            (time, _replaced(value, files) if isinstance(value, Mapping) else value)
            for time, value in keyframes[_STYLE].points
        ]
        keyframes[_STYLE] = Keyframes(tuple(points))
    style: Written
    if isinstance(written, tuple):
        style = str(files[written])
    elif isinstance(written, str):
        style = str(files.get((written,), written))
    else:
        style = _replaced(written, files)
    options = entry.options.model_copy(update={_STYLE: style})
    return replace(entry, options=options, keyframes=keyframes)


def _replaced(mix: Mapping[str, float], files: Mapping[tuple[str, ...], Path]) -> dict[str, float]:
    """Two names of one image are one style: their weights add up."""
    weights: dict[str, float] = {}
    for name, weight in mix.items():
        file = str(files.get((name,), name))
        weights[file] = weights.get(file, 0.0) + weight
    return weights
