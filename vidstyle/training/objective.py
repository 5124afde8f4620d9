"""What a training makes small, and what its result is measured by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np
import torch

from vidstyle.core.errors import UsageError
from vidstyle.models.loss.backbone import Backbone, LayerError, load_backbone
from vidstyle.models.loss.loss_options import find_weights_file
from vidstyle.models.loss.objective import Objective, ScaledFeatures, style_targets
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import stored_weights
from vidstyle.training.photos import add_noise, read_photo, read_squares, resize_photo, to_tensor
from vidstyle.training.settings import TrainingSettings

CALIBRATION_PHOTOS = 24

_PALETTE = (0.001, 0.999)
"""Quantiles of a style image's values; what lies beyond them is dust and scratches."""


def load_objective(
    settings: TrainingSettings,
    style_image: Path,
    photos: Sequence[Path],
    weights: Path | None,
    device: str,
) -> Objective:
    """The objective for a style image, calibrated on photos spread over a row of them.

    Args:
        settings: Of the training.
        style_image: A file.
        photos: Files, in order.
        weights: File or folder of the loss network's weights; None for ``VIDSTYLE_WEIGHTS``, the
            user's cache and a download.
        device: By torch's name.

    Returns:
        The objective, on the device.

    Raises:
        InputError: The style image or the photos cannot be read.
        WeightsError: There are no weights, or not the right ones.
        UsageError: The weights do not reach a layer.
    """
    settings = settings.resolve_auto(device, weights)
    [objective] = load_objectives((settings,), style_image, photos, weights, device)
    return objective


def load_objectives(
    rows: Sequence[TrainingSettings],
    style_image: Path,
    photos: Sequence[Path],
    weights: Path | None,
    device: str,
    *,
    calibrated_on: int = CALIBRATION_PHOTOS,
) -> tuple[Objective, ...]:
    """Load the objectives for a style image by several settings; each loss network once.

    Args:
        rows: Without ``auto``. They differ in the loss network, in what of it is compared, and in
            the crop.
        style_image: A file.
        photos: Files, in order.
        weights: As ``load_objective`` takes them.
        device: By torch's name.
        calibrated_on: Number of photos, spread over the row of them.

    Returns:
        An objective for each, on the device; for equal settings the same one.

    Raises:
        InputError: The style image or the photos cannot be read.
        WeightsError: There are no weights, or not the right ones.
        UsageError: The weights do not reach a layer.
    """
    chosen = photos[:: -(-len(photos) // calibrated_on)]
    squares: dict[int, list[torch.Tensor]] = {}
    backbones: dict[str, Backbone] = {}
    made: dict[str, Objective] = {}
    for row in rows:
        assert row.backbone != "auto"
        if (key := row.model_dump_json()) in made:
            continue
        if row.backbone not in backbones:
            file = find_weights_file(row.backbone, weights)
            backbone = load_backbone(row.backbone, file=file, pooling=row.pooling)
            backbone = backbone.to(memory_format=torch.channels_last).to(device)
            backbones[row.backbone] = backbone
        if row.crop not in squares:
            squares[row.crop] = [square.to(device) for square in read_squares(chosen, row.crop)]
        image = sized_style_image(style_image, row.style_image_side).to(device)
        try:
            made[key] = calibrate(backbones[row.backbone], image, squares[row.crop], row)
        except LayerError as error:
            raise UsageError(f"{error}; choose other layers, or other weights") from error
    return tuple(made[row.model_dump_json()] for row in rows)


def sized_style_image(path: Path, side: int) -> torch.Tensor:
    """Read a style image at the size at which a training sees it.

    Args:
        path: A file.
        side: Of the shorter side, in pixels.

    Returns:
        (1, 3, H, W) RGB in [0, 1].

    Raises:
        InputError: It cannot be read.
    """
    image = read_photo(path)
    scale = side / min(image.shape[:2])
    height, width = (max(1, round(scale * extent)) for extent in image.shape[:2])
    return to_tensor(resize_photo(image, height, width))


def calibrate(
    backbone: Backbone,
    style_image: torch.Tensor,
    photos: Iterable[torch.Tensor],
    settings: TrainingSettings,
) -> Objective:
    """An objective whose terms are 1 on the median photo.

    Medians, so that one glaring photo does not set the scale.

    Args:
        backbone: On the device of the images.
        style_image: (1, 3, H, W) RGB in [0, 1].
        photos: (1, 3, H, W) each, untouched.
        settings: Of the training; without ``auto``.

    Returns:
        The objective, with the units of each term.

    Raises:
        LayerError: The weights do not reach a layer, or an image is too small for one.
    """
    features = ScaledFeatures(backbone, settings)
    targets = style_targets(features, style_image)
    objective = Objective(features, settings, targets, {}, _palette(style_image))
    rows = [objective.measure(photo) for photo in photos]
    units = {
        name: tuple(median(part) for part in zip(*(row[name] for row in rows), strict=True))
        for name in rows[0]
    }
    return replace(objective, units=units)


def settings_of(objective: Objective) -> TrainingSettings:
    """Return the settings that an objective was calibrated with.

    Args:
        objective: From ``calibrate``.

    Returns:
        The settings, without ``auto``.
    """
    return cast("TrainingSettings", objective.options)


def measure_network(
    network: StyleNetwork, objective: Objective, photos: Sequence[Path]
) -> dict[str, float]:
    """Measure the mean losses of a network, as its style file will have it, on the middles of
    photos.

    Args:
        network: On any device; it is not changed.
        objective: Of its style image, on the same device.
        photos: Files; to be fair, ones that it was not trained on.

    Returns:
        By name: ``style`` and ``variation`` as ratios to those of the same photos untouched,
        ``content`` to that of an image without content, and ``noise``, the factor by which the
        amplitude of noise grows.
    """
    settings = settings_of(objective)
    device = next(network.parameters()).device
    stored = _as_stored(network).to(device)
    generator = np.random.default_rng(settings.seed)
    stylized: list[dict[str, float]] = []
    untouched: list[dict[str, float]] = []
    for square in read_squares(photos, settings.crop):
        photo = square.to(device)
        content = objective.content(photo)
        with torch.no_grad():
            image = stylize(stored, photo)
            again = stylize(stored, add_noise(square, settings.noise, generator).to(device))
            stylized.append(_to_floats(objective.terms(image, content)))
            gain = noise_gain(image, again, settings.noise)
            stylized[-1]["noise"] = math.sqrt(float(gain))
            untouched.append(_to_floats(objective.terms(photo, content)))
    means = _mean(stylized)
    for name, value in _mean(untouched).items():
        if name in ("style", "variation"):
            means[name] /= max(value, 1e-12)
    return means


def noise_gain(stylized: torch.Tensor, again: torch.Tensor, noise: float) -> torch.Tensor:
    """The factor by which a network amplifies the power of noise.

    Args:
        stylized: A stylized photo, of any shape.
        again: The same photo with noise, stylized.
        noise: The standard deviation of the noise.

    Returns:
        A scalar; 1 for a network that returns its input.
    """
    return (again - stylized).square().mean() / noise**2


def _palette(style_image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Darkest and brightest values (1, 3, 1, 1) of the channels."""
    quantiles = torch.tensor(_PALETTE, device=style_image.device)
    lowest, highest = style_image.flatten(2).quantile(quantiles, dim=2)
    return lowest[..., None, None], highest[..., None, None]


def _as_stored(network: StyleNetwork) -> StyleNetwork:
    """The network with the weights that a style file keeps of it, in eval mode."""
    stored = empty_network(network.architecture, network.width)
    stored.load_state_dict({key: value.float() for key, value in stored_weights(network).items()})
    return stored.eval()


def _to_floats(terms: Mapping[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in terms.items()}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
