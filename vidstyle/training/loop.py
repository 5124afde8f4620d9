"""Training a style: a style image and a folder of photos in, a style file out."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np
import numpy.typing as npt
import torch

from vidstyle.core.errors import OutputError, UsageError
from vidstyle.core.stop import StopRequest
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.image_losses import temporal_error
from vidstyle.models.loss.objective import Objective
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import SUFFIX, Credit, StyleInfo, save_style
from vidstyle.training.eight_bits import measure_on_squares, spread_photos
from vidstyle.training.nearest import nearest_style
from vidstyle.training.objective import (
    CALIBRATION_PHOTOS,
    measure_network,
    settings_of,
)
from vidstyle.training.pair_choice import MOTION, PairChoice, pair_source
from vidstyle.training.pairs import Pair, PairSource
from vidstyle.training.photos import (
    PhotoCrops,
    add_noise,
    hold_out,
    list_photos,
    read_photo,
    read_squares,
)
from vidstyle.training.run import (
    TrainingRun,
    learning_rate,
    load_checkpoint,
    new_run,
    save_checkpoint,
    take_step,
)
from vidstyle.training.settings import TrainingSettings
from vidstyle.training.turns import load_turns
from vidstyle.training.watch import TrainingStep, Watcher, Watchers

_HELD_OUT = 12
_PREVIEWS = 3
# Each takes a second, in five variants.
_MEASURED_IN_8_BITS = 4
_LOGGED_EVERY = 100

logger = logging.getLogger(__name__)


def train_style(
    settings: TrainingSettings,
    *,
    style_image: Path,
    photos: Path,
    destination: Path,
    pairs: PairChoice = MOTION,
    credit: Credit | None = None,
    weights: Path | None = None,
    device: str = "cpu",
    resume: bool = False,
    checkpoint_every: int = 100,
    preview_every: int = 250,
    watcher: Watcher | None = None,
    stop: StopRequest | None = None,
) -> StyleInfo:
    """Train a style and write it to a file.

    Every so many photos are held out of the training to measure the result. The checkpoint,
    ``NAME.checkpoint`` beside the destination, is removed when the style is written. A resumed
    training ends with the same bits as one that was not interrupted, on one processor with one
    number of threads.

    Args:
        settings: Losses, network and steps.
        style_image: A file.
        photos: A folder.
        destination: The style file; its stem becomes the style's name.
        pairs: What the temporal loss learns from.
        credit: Title, artist and license of the style image.
        weights: Folder with the loss network; None for ``VIDSTYLE_WEIGHTS`` and the user's cache.
        device: As torch names it.
        resume: Whether to start from the checkpoint, where there is one.
        checkpoint_every: Steps from one checkpoint to the next.
        preview_every: Steps from one preview of held-out photos to the next.
        watcher: Called with each step and each preview.
        stop: May ask the training to write its checkpoint after the current step, and to raise.

    Returns:
        What the style file says about itself, with its losses on the photos held out.

    Raises:
        InputError: The style image, the photos or the pairs cannot be read.
        WeightsError: The loss network cannot be loaded.
        UsageError: The loss network lacks a layer, the checkpoint is of another training, or a loss
            is not finite.
        OutputError: The destination cannot be written.

    References:
        Johnson et al. 2016, Perceptual Losses for Real-Time Style Transfer, section 3; Gao et al.
        2018, ReCoNet, section 3.
    """
    _check_destination(destination)
    watchers, stop = watcher or Watchers(), stop or StopRequest()
    training, measuring = hold_out(list_photos(photos), _HELD_OUT)
    checkpoint = destination.with_suffix(".checkpoint")
    settings = settings.resolve_auto(device, weights)
    turns = load_turns(settings, style_image, training, weights, device)
    if settings.initial_weights == "nearest":
        nearest = nearest_style(turns[0], training)
        settings = settings.model_copy(update={"initial_weights": nearest})
    made_of = _made_of(settings, turns, style_image, training, pairs)
    run = _start(checkpoint, settings, made_of, device, resume=resume)
    drawings = {
        crop: _Drawing(settings, crop, pairs, training, run.generator)
        for crop in sorted({settings_of(turn).crop for turn in turns})
    }
    previews = read_squares(measuring[:_PREVIEWS], settings.crop)
    watchers.image(run.iteration, "style_image", read_photo(style_image))
    while run.iteration < settings.iterations:
        started = time.perf_counter()
        objective = turns[run.iteration % len(turns)]
        drawing = drawings[settings_of(objective).crop]
        losses = take_step(run, drawing.calibrated(objective), drawing.draw())
        last = run.iteration == settings.iterations
        if run.iteration % checkpoint_every == 0 or last or stop.reason:
            save_checkpoint(checkpoint, run, made_of)
        stop.check()
        if run.iteration % preview_every == 0:
            _preview(run, previews, watchers)
        _report(run, settings, losses, time.perf_counter() - started, watchers)
    eight_bits = measure_on_squares(
        run.network, spread_photos(training), spread_photos(measuring, _MEASURED_IN_8_BITS)
    )
    info = StyleInfo(
        name=destination.stem,
        credit=credit or Credit(),
        architecture=settings.architecture,
        width=settings.width,
        # The folders of this machine are nobody's business.
        settings={
            **settings.model_dump(mode="json"),
            "initial_weights": Path(settings.initial_weights).name.removesuffix(SUFFIX),
        },
        losses=measure_network(run.network, turns[0], measuring),
        int8_error=eight_bits.error,
    )
    save_style(destination, info, run.network, eight_bits.ranges)
    checkpoint.unlink(missing_ok=True)
    return info


class _Drawing:
    """Crops of one size, in pairs where the temporal loss counts."""

    def __init__(
        self,
        settings: TrainingSettings,
        crop: int,
        pairs: PairChoice,
        photos: Sequence[Path],
        generator: np.random.Generator,
    ) -> None:
        self._batch = settings.batch
        self._source: PhotoCrops | PairSource
        if settings.temporal_weight > 0:
            self._source = pair_source(pairs, photos, crop, generator)
        else:
            self._source = PhotoCrops(photos, crop, generator)
        sized = settings.model_copy(update={"crop": crop})
        self._units = {"temporal": (usual_error(sized, pairs, photos),)}

    def calibrated(self, objective: Objective) -> Objective:
        return replace(objective, units={**objective.units, **self._units})

    def draw(self) -> torch.Tensor | Pair:
        return self._source.draw(self._batch)


def usual_error(settings: TrainingSettings, pairs: PairChoice, photos: Sequence[Path]) -> float:
    """Measure the temporal error of pairs that nobody stylized, the earlier image with noise.

    Args:
        settings: Of the training.
        pairs: What the temporal loss learns from.
        photos: Files to draw the pairs from.

    Returns:
        The mean over a few pairs; 1 where the temporal loss has no weight.

    Raises:
        InputError: There are no pairs.
    """
    if settings.temporal_weight == 0:
        return 1.0
    generator = np.random.default_rng(settings.seed)
    source = pair_source(pairs, photos, settings.crop, generator)
    drawn = [source.draw(1) for _ in range(CALIBRATION_PHOTOS)]
    return mean(
        float(
            temporal_error(
                pair.current,
                add_noise(pair.previous, settings.noise, generator),
                pair.flow,
                pair.visible,
            )
        )
        for pair in drawn
    )


def _check_destination(destination: Path) -> None:
    """Before half an hour of work, not after it."""
    if destination.suffix != SUFFIX:
        raise UsageError(f"a style file ends in {SUFFIX}: name {destination.name} otherwise")
    if not os.access(destination.parent, os.W_OK):
        raise OutputError(f"cannot write to the folder {destination.parent}")


def _report(
    run: TrainingRun,
    settings: TrainingSettings,
    losses: Mapping[str, float],
    seconds: float,
    watcher: Watcher,
) -> None:
    rate = learning_rate(settings, run.iteration - 1)
    watcher.step(TrainingStep(run.iteration, settings.iterations, losses, rate, seconds))
    if run.iteration % _LOGGED_EVERY == 0:
        values = ", ".join(f"{name} {value:.4f}" for name, value in losses.items())
        logger.info("%d of %d: %s", run.iteration, settings.iterations, values)


def _preview(run: TrainingRun, squares: Sequence[torch.Tensor], watcher: Watcher) -> None:
    device = next(run.network.parameters()).device
    run.network.eval()
    for number, square in enumerate(squares, start=1):
        with torch.no_grad():
            stylized = stylize(run.network, square.to(device))
        watcher.image(run.iteration, f"photo-{number}", _as_image(stylized))
    run.network.train()


def _as_image(stylized: torch.Tensor) -> npt.NDArray[np.uint8]:
    bytes_ = (stylized[0] * 255.0).round().to(torch.uint8).permute(1, 2, 0)
    return np.ascontiguousarray(bytes_.cpu().numpy())


def _start(
    checkpoint: Path,
    settings: TrainingSettings,
    made_of: Mapping[str, str],
    device: str,
    *,
    resume: bool,
) -> TrainingRun:
    if not (resume and checkpoint.exists()):
        return new_run(settings, device)
    run = load_checkpoint(checkpoint, settings, made_of, device)
    logger.info("resumed from %s after %d iterations", checkpoint, run.iteration)
    return run


def _made_of(
    settings: TrainingSettings,
    turns: Sequence[Objective],
    style_image: Path,
    photos: Sequence[Path],
    pairs: PairChoice,
) -> dict[str, str]:
    """What the result depends on, by names for the message of a refusal to resume."""
    backbones = {id(turn.features.backbone): turn.features.backbone for turn in turns}
    inside = sorted(pairs.path.rglob("*")) if pairs.path and pairs.path.is_dir() else []
    made_of = {
        "settings": settings.model_dump_json(),
        "style_image": hashlib.sha256(read_photo(style_image).tobytes()).hexdigest(),
        "photos": _listed(photos),
        "pairs": f"{pairs} {_listed([path for path in inside if path.is_file()])}",
        "loss network": " ".join(_digest(backbone) for backbone in backbones.values()),
    }
    if (start := settings.initial_weights_file()) is not None:
        made_of["initial weights"] = hashlib.sha256(start.read_bytes()).hexdigest()
    return made_of


def _listed(files: Sequence[Path]) -> str:
    """A hash of files' names and sizes: reading them all would take longer than a step."""
    names = "\n".join(f"{path.name} {path.stat().st_size}" for path in files)
    return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()


def _digest(backbone: Backbone) -> str:
    """A hash of the loss network's weights, as far up as they reach."""
    found = hashlib.sha256(backbone.pooling.encode())
    for name, value in backbone.state_dict().items():
        found.update(name.encode())
        found.update(value.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
