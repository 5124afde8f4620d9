"""The loss of a painted picture, each term measured against that of an untouched photo.

VGG's loss terms differ by factors of thousands between layers and paintings. Divided by
their value on untouched photos they are all about 1 at the start, so that one set of
weights serves every painting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch.nn import functional

from vidstyle.models.vgg import Vgg19
from vidstyle.training.losses import (
    content_loss,
    gram_matrix,
    range_excess,
    style_loss,
    total_variation,
)
from vidstyle.training.settings import Settings

_FLOOR = 1e-12
"""Keeps the quotients finite for photos that are blank, or that are the painting itself."""

_PALETTE = (0.001, 0.999)
"""Quantiles of a painting's values; what lies beyond them is dust and scratches."""


@dataclass(frozen=True, repr=False)
class Objective:
    """What a training makes small. Made by ``calibrate``."""

    extractor: Vgg19
    settings: Settings
    targets: Mapping[str, torch.Tensor]
    """The painting's Gram matrices (1, C, C), by ``tap@scale``."""
    palette: tuple[torch.Tensor, torch.Tensor]
    """Darkest and brightest values (1, 3, 1, 1) of the painting's channels."""
    untouched: Mapping[str, float]
    """The terms' values on untouched photos, by ``tap@scale``, ``content`` and ``variation``."""

    def terms(self, painted: torch.Tensor, photos: torch.Tensor) -> dict[str, torch.Tensor]:
        """``style``, ``content``, ``variation`` and ``excess`` of pictures (N, 3, H, W).

        The first three are ratios: style and variation to those of untouched photos, content
        to that of pictures that show the mean feature everywhere.
        """
        tap = self.settings.content_tap
        with torch.no_grad():
            wanted = _features(self.extractor, photos, {tap}, self.settings)[tap]
        features = scaled_features(self.extractor, painted, self.settings)
        return {
            "style": self._style(features),
            "content": content_loss(features[_key(tap, 1.0)], wanted) / self.untouched["content"],
            "variation": total_variation(painted) / self.untouched["variation"],
            "excess": range_excess(painted, *self.palette),
        }

    def total(self, terms: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weighted sum of the terms."""
        weights = self.settings.model_dump(include=set(terms))
        return torch.stack([weights[name] * value for name, value in terms.items()]).sum()

    def _style(self, features: Mapping[str, torch.Tensor]) -> torch.Tensor:
        ratios = [
            style_loss(features[key], target) / self.untouched[key]
            for key, target in self.targets.items()
        ]
        return torch.stack(ratios).mean()


def calibrate(
    extractor: Vgg19, painting: torch.Tensor, photos: Iterable[torch.Tensor], settings: Settings
) -> Objective:
    """The objective for a painting (1, 3, H, W), by its terms on photos (1, 3, H, W)."""
    with torch.no_grad():
        targets = {
            key: gram_matrix(features)
            for key, features in scaled_features(extractor, painting, settings).items()
            if key in _style_keys(settings)
        }
        rows = [_untouched(extractor, photo, targets, settings) for photo in photos]
    untouched = {key: max(_FLOOR, sum(row[key] for row in rows) / len(rows)) for key in rows[0]}
    return Objective(extractor, settings, targets, _palette(painting), untouched)


def scaled_features(
    extractor: Vgg19, pictures: torch.Tensor, settings: Settings
) -> dict[str, torch.Tensor]:
    """Features of pictures (N, 3, H, W) by ``tap@scale``: the style's, and the content's at 1."""
    found = {}
    for scale in sorted({1.0, *settings.style_scales}, reverse=True):
        taps = set(settings.style_taps if scale in settings.style_scales else ())
        if scale == 1.0:
            taps.add(settings.content_tap)
        for tap, features in _features(
            extractor, _resized(pictures, scale), taps, settings
        ).items():
            found[_key(tap, scale)] = features
    return found


def _features(
    extractor: Vgg19, pictures: torch.Tensor, taps: set[str], settings: Settings
) -> dict[str, torch.Tensor]:
    with autocast(settings):
        return cast("dict[str, torch.Tensor]", extractor(pictures, taps))


def autocast(settings: Settings) -> torch.autocast:
    """Convolutions in bfloat16 where the settings say so."""
    return torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bfloat16")


def _palette(painting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    lowest, highest = painting.flatten(2).quantile(torch.tensor(_PALETTE), dim=2)
    return lowest[..., None, None], highest[..., None, None]


def _untouched(
    extractor: Vgg19,
    photo: torch.Tensor,
    targets: Mapping[str, torch.Tensor],
    settings: Settings,
) -> dict[str, float]:
    features = scaled_features(extractor, photo, settings)
    content = features[_key(settings.content_tap, 1.0)]
    mean = content.mean(dim=(2, 3), keepdim=True).expand_as(content)
    return {
        **{key: float(style_loss(features[key], target)) for key, target in targets.items()},
        "content": float(content_loss(content, mean)),
        "variation": float(total_variation(photo)),
    }


def _style_keys(settings: Settings) -> set[str]:
    return {_key(tap, scale) for tap in settings.style_taps for scale in settings.style_scales}


def _key(tap: str, scale: float) -> str:
    return f"{tap}@{scale:g}"


def _resized(pictures: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return pictures
    return functional.interpolate(
        pictures, scale_factor=scale, mode="bilinear", antialias=True, align_corners=False
    )
