"""Training a style: a painting and a folder of photos in, a style file out."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vidstyle.core.errors import OutputError, UsageError
from vidstyle.models.style_file import ARCHITECTURE, SUFFIX, Credit, StyleInfo, save_style
from vidstyle.models.vgg import load_vgg19
from vidstyle.training.calibration import Objective, autocast, calibrate
from vidstyle.training.checkpoint import Run, fresh_run, load_checkpoint, save_checkpoint
from vidstyle.training.losses import noise_gain
from vidstyle.training.measure import measure
from vidstyle.training.photos import (
    PhotoCrops,
    held_out,
    list_photos,
    read_picture,
    resized,
    to_tensor,
    with_noise,
)
from vidstyle.training.settings import Settings

_HELD_OUT = 12
_CALIBRATED_ON = 16
_LOGGED_EVERY = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """Where a training is."""

    iteration: int
    """Steps taken, from 1."""
    iterations: int
    """Steps in all."""
    losses: Mapping[str, float]
    """The terms of this step, before they are weighted."""
    seconds: float
    """That this step took."""


def train_style(
    settings: Settings,
    *,
    painting: Path,
    photos: Path,
    destination: Path,
    credit: Credit | None = None,
    weights: Path | None = None,
    resume: bool = False,
    checkpoint_every: int = 250,
    progress: Callable[[Progress], None] | None = None,
) -> StyleInfo:
    """Train a style and write it to ``destination``, whose stem becomes its name.

    ``photos`` is a folder; every so many of them are held out to measure the result.
    ``weights`` is the folder with VGG19, or None for ``VIDSTYLE_WEIGHTS``. Every
    ``checkpoint_every`` steps the state is written beside the destination, as
    ``NAME.checkpoint``; with ``resume`` a training goes on from there, and ends with the same
    bits as one that was not interrupted (on one machine, with one number of threads). The
    file is removed when the style is written.

    Raises InputError for a painting or photos that cannot be read, WeightsError for VGG19,
    UsageError for layers that it lacks, a checkpoint of another training or a loss that is not
    finite, OutputError where the destination cannot be written. Johnson et al. 2016, section 3.
    """
    _check_destination(destination)
    training, measuring = held_out(list_photos(photos), _HELD_OUT)
    checkpoint = destination.with_suffix(".checkpoint")
    made_of = _made_of(settings, painting, training)
    run = _start(checkpoint, settings, made_of, resume=resume)
    objective = _objective(settings, painting, training, weights)
    crops = PhotoCrops(training, settings.crop, run.generator)
    while run.iteration < settings.iterations:
        started = time.perf_counter()
        losses = _step(run, objective, crops.draw(settings.batch))
        if run.iteration % checkpoint_every == 0 or run.iteration == settings.iterations:
            save_checkpoint(checkpoint, run, made_of)
        _report(run, settings, losses, time.perf_counter() - started, progress)
    info = StyleInfo(
        name=destination.stem,
        credit=credit or Credit(),
        architecture=ARCHITECTURE,
        width=settings.width,
        settings=settings.model_dump(mode="json"),
        losses=measure(run.network, objective, measuring),
    )
    save_style(destination, info, run.network)
    checkpoint.unlink(missing_ok=True)
    return info


def learning_rate(settings: Settings, iteration: int) -> float:
    """Constant, and over the last ``decay`` of the iterations down to 0 in a line."""
    left = (settings.iterations - iteration) / settings.iterations
    return settings.learning_rate * min(1.0, left / max(settings.decay, 1e-9))


def _step(run: Run, objective: Objective, photos: torch.Tensor) -> dict[str, float]:
    """One step of the optimiser on photos (N, 3, H, W); the terms of its loss."""
    settings = objective.settings
    steadying = settings.steadiness > 0 and settings.noise > 0
    inputs = [photos, with_noise(photos, settings.noise, run.generator)] if steadying else [photos]
    batch = torch.cat(inputs).contiguous(memory_format=torch.channels_last)
    with autocast(settings):
        outputs = run.network(batch).float()
    terms = objective.terms(outputs[: len(photos)], photos)
    if steadying:
        again = outputs[len(photos) :]
        terms["steadiness"] = noise_gain(outputs[: len(photos)], again, settings.noise)
    loss = objective.total(terms)
    if not loss.isfinite():
        raise UsageError(
            f"the loss is not finite after {run.iteration} iterations: lower the learning rate"
        )
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate(settings, run.iteration)
    run.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    run.optimiser.step()
    run.iteration += 1
    return {name: float(value.detach()) for name, value in terms.items()}


def _check_destination(destination: Path) -> None:
    """Before half an hour of work, not after it."""
    if destination.suffix != SUFFIX:
        raise UsageError(f"a style file ends in {SUFFIX}: name {destination.name} otherwise")
    if not os.access(destination.parent, os.W_OK):
        raise OutputError(f"cannot write to the folder {destination.parent}")


def _report(
    run: Run,
    settings: Settings,
    losses: Mapping[str, float],
    seconds: float,
    progress: Callable[[Progress], None] | None,
) -> None:
    if progress:
        progress(Progress(run.iteration, settings.iterations, losses, seconds))
    if run.iteration % _LOGGED_EVERY == 0:
        values = ", ".join(f"{name} {value:.4f}" for name, value in losses.items())
        logger.info("%d of %d: %s", run.iteration, settings.iterations, values)


def _start(
    checkpoint: Path, settings: Settings, made_of: Mapping[str, str], *, resume: bool
) -> Run:
    if not (resume and checkpoint.exists()):
        return fresh_run(settings)
    run = load_checkpoint(checkpoint, settings, made_of)
    logger.info("going on from %s after %d iterations", checkpoint, run.iteration)
    return run


def _objective(
    settings: Settings, painting: Path, photos: Sequence[Path], weights: Path | None
) -> Objective:
    extractor = load_vgg19(folder=weights, pooling=settings.pooling)
    extractor.to(memory_format=torch.channels_last)
    wanted = {*settings.style_taps, settings.content_tap}
    if beyond := ", ".join(sorted(wanted - set(extractor.taps))):
        raise UsageError(f"VGG19 as it is here has no {beyond}; it has {', '.join(extractor.taps)}")
    picture = read_picture(painting)
    scale = settings.painting_side / min(picture.shape[:2])
    height, width = (max(1, round(scale * side)) for side in picture.shape[:2])
    # A generator of its own: the objective is the same after a resume.
    crops = PhotoCrops(photos, settings.crop, np.random.default_rng(settings.seed))
    return calibrate(
        extractor,
        to_tensor(resized(picture, height, width)),
        [crops.draw(1) for _ in range(_CALIBRATED_ON)],
        settings,
    )


def _made_of(settings: Settings, painting: Path, photos: Sequence[Path]) -> dict[str, str]:
    names = "\n".join(f"{path.name} {path.stat().st_size}" for path in photos)
    return {
        "settings": settings.model_dump_json(),
        "painting": hashlib.sha256(read_picture(painting).tobytes()).hexdigest(),
        "photos": hashlib.sha256(names.encode()).hexdigest(),
    }
