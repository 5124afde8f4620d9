"""The loss of a painted picture, each term measured against that of an untouched photo.

VGG's loss terms differ by factors of thousands between layers and paintings. Divided by
their value on untouched photos they are all about 1 at the start, so that one set of
weights serves every painting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import cast

import torch
from torch.nn import functional

from vidstyle.models.loss.backbones import Backbone
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

_WEIGHED = {"style": "strength"}
"""Terms whose weight in the settings has another name."""


@dataclass(frozen=True, repr=False)
class Objective:
    """What a training makes small. Made by ``calibrate``."""

    extractor: Backbone
    settings: Settings
    style_taps: tuple[str, ...]
    content_tap: str
    targets: Mapping[str, torch.Tensor]
    """The painting's Gram matrices (1, C, C), by ``tap@scale``."""
    palette: tuple[torch.Tensor, torch.Tensor]
    """Darkest and brightest values (1, 3, 1, 1) of the painting's channels."""
    untouched: Mapping[str, float]
    """The terms' values on untouched photos, by ``tap@scale``, ``content`` and ``variation``:
    their medians, so that one glaring photo does not set the scale."""

    def terms(self, painted: torch.Tensor, photos: torch.Tensor) -> dict[str, torch.Tensor]:
        """``style``, ``content``, ``variation`` and ``excess`` of pictures (N, 3, H, W).

        The first three are ratios: style and variation to those of untouched photos, content
        to that of pictures that show the mean feature everywhere.
        """
        tap = self.content_tap
        with torch.no_grad():
            wanted = self._features(photos, {tap})[tap]
        features = self.features(painted)
        return {
            "style": self._style(features),
            "content": content_loss(features[_key(tap, 1.0)], wanted) / self.untouched["content"],
            "variation": total_variation(painted) / self.untouched["variation"],
            "excess": range_excess(painted, *self.palette),
        }

    def total(self, terms: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weighted sum of the terms."""
        weights = {name: getattr(self.settings, _WEIGHED.get(name, name)) for name in terms}
        return torch.stack([weights[name] * value for name, value in terms.items()]).sum()

    def features(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features of pictures (N, 3, H, W) by ``tap@scale``: the style's, and the content's at
        1."""
        return _scaled_features(
            self.extractor, pictures, self.settings, self.style_taps, self.content_tap
        )

    def _features(self, pictures: torch.Tensor, taps: set[str]) -> dict[str, torch.Tensor]:
        return _features(self.extractor, pictures, taps, self.settings)

    def _style(self, features: Mapping[str, torch.Tensor]) -> torch.Tensor:
        ratios = [
            style_loss(features[key], target) / self.untouched[key]
            for key, target in self.targets.items()
        ]
        return torch.stack(ratios).mean()


def calibrate(
    extractor: Backbone, painting: torch.Tensor, photos: Iterable[torch.Tensor], settings: Settings
) -> Objective:
    """The objective for a painting (1, 3, H, W), by its terms on photos (1, 3, H, W)."""
    style_taps = settings.style_taps or extractor.default_style_taps
    content_tap = settings.content_tap or extractor.default_content_tap
    wanted = {_key(tap, scale) for tap in style_taps for scale in settings.style_scales}

    def features(pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        return _scaled_features(extractor, pictures, settings, style_taps, content_tap)

    with torch.no_grad():
        found = features(painting)
        targets = {key: gram_matrix(found[key]) for key in found if key in wanted}
        rows = [
            _untouched(features(photo), photo, targets, _key(content_tap, 1.0)) for photo in photos
        ]
    untouched = {key: max(_FLOOR, median(row[key] for row in rows)) for key in rows[0]}
    return Objective(
        extractor, settings, style_taps, content_tap, targets, _palette(painting), untouched
    )


def autocast(settings: Settings, device: str) -> torch.autocast:
    """Convolutions in bfloat16 where the settings say so; ``device`` is a torch device's name."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=settings.precision == "bfloat16")


def _scaled_features(
    extractor: Backbone,
    pictures: torch.Tensor,
    settings: Settings,
    style_taps: tuple[str, ...],
    content_tap: str,
) -> dict[str, torch.Tensor]:
    found = {}
    for scale in sorted({1.0, *settings.style_scales}, reverse=True):
        taps = set(style_taps if scale in settings.style_scales else ())
        if scale == 1.0:
            taps.add(content_tap)
        for tap, features in _features(
            extractor, _resized(pictures, scale), taps, settings
        ).items():
            found[_key(tap, scale)] = features
    return found


def _features(
    extractor: Backbone, pictures: torch.Tensor, taps: set[str], settings: Settings
) -> dict[str, torch.Tensor]:
    with autocast(settings, pictures.device.type):
        return cast("dict[str, torch.Tensor]", extractor(pictures, taps))


def _palette(painting: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    quantiles = torch.tensor(_PALETTE, device=painting.device)
    lowest, highest = painting.flatten(2).quantile(quantiles, dim=2)
    return lowest[..., None, None], highest[..., None, None]


def _untouched(
    features: Mapping[str, torch.Tensor],
    photo: torch.Tensor,
    targets: Mapping[str, torch.Tensor],
    content_key: str,
) -> dict[str, float]:
    content = features[content_key]
    mean = content.mean(dim=(2, 3), keepdim=True).expand_as(content)
    return {
        **{key: float(style_loss(features[key], target)) for key, target in targets.items()},
        "content": float(content_loss(content, mean)),
        "variation": float(total_variation(photo)),
    }


def _key(tap: str, scale: float) -> str:
    return f"{tap}@{scale:g}"


def _resized(pictures: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return pictures
    return functional.interpolate(
        pictures, scale_factor=scale, mode="bilinear", antialias=True, align_corners=False
    )
