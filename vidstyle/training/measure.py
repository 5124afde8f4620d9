"""What a trained network is worth: its losses on photos that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import stored_weights
from vidstyle.training.calibration import Objective
from vidstyle.training.losses import noise_gain
from vidstyle.training.photos import read_squares, with_noise


def measure(
    network: StyleNetwork, objective: Objective, photos: Sequence[Path]
) -> dict[str, float]:
    """Mean losses, on the middles of photos, of a network as its style file will have it.

    ``style`` and ``variation`` are ratios to those of the same photos untouched, ``content``
    to that of an image without content, ``noise`` the factor by which the amplitude of noise
    grows.
    """
    settings = objective.settings
    device = next(network.parameters()).device
    stored = _as_stored(network).to(device)
    generator = np.random.default_rng(settings.seed)
    stylized: list[dict[str, float]] = []
    untouched: list[dict[str, float]] = []
    for square in read_squares(photos, settings.crop):
        photo = square.to(device)
        with torch.no_grad():
            image = stylize(stored, photo)
            again = stylize(stored, with_noise(square, settings.noise, generator).to(device))
            stylized.append(_values(objective.terms(image, photo)))
            gain = noise_gain(image, again, settings.noise)
            stylized[-1]["noise"] = math.sqrt(float(gain))
            untouched.append(_values(objective.terms(photo, photo)))
    means = _mean(stylized)
    for name, value in _mean(untouched).items():
        if name in ("style", "variation"):
            means[name] /= max(value, 1e-12)
    return means


def _as_stored(network: StyleNetwork) -> StyleNetwork:
    """The network with the weights that a style file keeps of it, in eval mode."""
    stored = empty_network(network.architecture, network.width)
    stored.load_state_dict({key: value.float() for key, value in stored_weights(network).items()})
    return stored.eval()


def _values(terms: Mapping[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in terms.items()}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
