"""Style and content loss of paintings at any size, by the objective that styles train on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from vidstyle.core.errors import InputError, WeightsError
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import read_style_info
from vidstyle.training.calibration import Objective
from vidstyle.training.losses import content_loss, style_loss
from vidstyle.training.settings import Settings

_JUDGING = (
    "seed",
    "crop",
    "precision",
    "style_image_side",
    "backbone",
    "style_layers",
    "style_scales",
    "content_layer",
    "pooling",
    "noise",
)


@dataclass(frozen=True, slots=True)
class StyleLosses:
    """Of one style, over a set of photos."""

    style: float
    """As a ratio to the same photos untouched."""
    content: float
    """1 for an image without any content."""


def judging_settings(path: Path) -> Settings:
    """The settings of a style file's training that its loss is measured by; defaults for others.

    Raises WeightsError where the file is no style, or its settings are none of this version's.
    """
    stated = read_style_info(path).settings
    try:
        return Settings.model_validate({key: stated[key] for key in _JUDGING if key in stated})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise WeightsError(f"{path} has settings that cannot be: {name}: {first['msg']}") from error


def whole_image_losses(
    styles: Mapping[str, tuple[StyleNetwork, Objective]], photos: Iterable[torch.Tensor]
) -> dict[str, StyleLosses]:
    """The losses of styles, each with its objective, on photos (1, 3, H, W) of any size.

    A photo's features are computed once for all objectives with the same settings, which are
    taken to have the same loss network. Raises InputError where there is no photo.
    """
    sums = {name: _Sums() for name in styles}
    for photo in photos:
        known: dict[Settings, Mapping[str, torch.Tensor]] = {}
        for name, (network, objective) in styles.items():
            with torch.no_grad():
                if objective.settings not in known:
                    known[objective.settings] = objective.features(photo)
                stylized = objective.features(stylize(network, photo))
            sums[name].add(objective, stylized, known[objective.settings])
    return {name: one.result() for name, one in sums.items()}


@dataclass(slots=True)
class _Sums:
    photos: int = 0
    style: float = 0.0
    untouched: float = 0.0
    content: float = 0.0

    def add(
        self,
        objective: Objective,
        stylized: Mapping[str, torch.Tensor],
        photo: Mapping[str, torch.Tensor],
    ) -> None:
        key = f"{objective.content_layer}@1"
        self.photos += 1
        self.style += _style(objective, stylized)
        self.untouched += _style(objective, photo)
        content = float(content_loss(stylized[key], photo[key]))
        self.content += content / objective.untouched["content"]

    def result(self) -> StyleLosses:
        if not self.photos:
            raise InputError("there are no photos to measure on")
        return StyleLosses(self.style / max(self.untouched, 1e-12), self.content / self.photos)


def _style(objective: Objective, features: Mapping[str, torch.Tensor]) -> float:
    ratios = [
        float(style_loss(features[key], target)) / objective.untouched[key]
        for key, target in objective.targets.items()
    ]
    return sum(ratios) / len(ratios)
