"""The loss of a painted image, each term measured against that of an untouched photo.

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

from vidstyle.models.loss.backbone import Backbone
from vidstyle.training.losses import (
    content_loss,
    gram_matrix,
    range_penalty,
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
    style_layers: tuple[str, ...]
    content_layer: str
    targets: Mapping[str, torch.Tensor]
    """The painting's Gram matrices (1, C, C), by ``tap@scale``."""
    palette: tuple[torch.Tensor, torch.Tensor]
    """Darkest and brightest values (1, 3, 1, 1) of the painting's channels."""
    untouched: Mapping[str, float]
    """The terms' values on untouched photos, by ``tap@scale``, ``content`` and ``variation``:
    their medians, so that one glaring photo does not set the scale."""

    def terms(self, stylized: torch.Tensor, photos: torch.Tensor) -> dict[str, torch.Tensor]:
        """``style``, ``content``, ``variation`` and ``excess`` of images (N, 3, H, W).

        The first three are ratios: style and variation to those of untouched photos, content
        to that of images that show the mean feature everywhere.
        """
        feature_layer = self.content_layer
        with torch.no_grad():
            wanted = self._features(photos, {feature_layer})[feature_layer]
        features = self.features(stylized)
        return {
            "style": self._style(features),
            "content": content_loss(features[_key(feature_layer, 1.0)], wanted)
            / self.untouched["content"],
            "variation": total_variation(stylized) / self.untouched["variation"],
            "range_penalty": range_penalty(stylized, *self.palette),
        }

    def total(self, terms: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weighted sum of the terms."""
        weights = {name: getattr(self.settings, _WEIGHED.get(name, name)) for name in terms}
        return torch.stack([weights[name] * value for name, value in terms.items()]).sum()

    def features(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features of images (N, 3, H, W) by ``tap@scale``: the style's, and the content's at
        1."""
        return _scaled_features(
            self.extractor, images, self.settings, self.style_layers, self.content_layer
        )

    def _features(self, images: torch.Tensor, feature_layers: set[str]) -> dict[str, torch.Tensor]:
        return _features(self.extractor, images, feature_layers, self.settings)

    def _style(self, features: Mapping[str, torch.Tensor]) -> torch.Tensor:
        ratios = [
            style_loss(features[key], target) / self.untouched[key]
            for key, target in self.targets.items()
        ]
        return torch.stack(ratios).mean()


def calibrate(
    extractor: Backbone,
    style_image: torch.Tensor,
    photos: Iterable[torch.Tensor],
    settings: Settings,
) -> Objective:
    """The objective for a painting (1, 3, H, W), by its terms on photos (1, 3, H, W)."""
    style_layers = settings.style_layers or extractor.default_style_layers
    content_layer = settings.content_layer or extractor.default_content_layer
    wanted = {
        _key(feature_layer, scale)
        for feature_layer in style_layers
        for scale in settings.style_scales
    }

    def features(images: torch.Tensor) -> dict[str, torch.Tensor]:
        return _scaled_features(extractor, images, settings, style_layers, content_layer)

    with torch.no_grad():
        found = features(style_image)
        targets = {key: gram_matrix(found[key]) for key in found if key in wanted}
        rows = [
            _untouched(features(photo), photo, targets, _key(content_layer, 1.0))
            for photo in photos
        ]
    untouched = {key: max(_FLOOR, median(row[key] for row in rows)) for key in rows[0]}
    return Objective(
        extractor, settings, style_layers, content_layer, targets, _palette(style_image), untouched
    )


def autocast(settings: Settings, device: str) -> torch.autocast:
    """Convolutions in bfloat16 where the settings say so; ``device`` is a torch device's name."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=settings.precision == "bfloat16")


def _scaled_features(
    extractor: Backbone,
    images: torch.Tensor,
    settings: Settings,
    style_layers: tuple[str, ...],
    content_layer: str,
) -> dict[str, torch.Tensor]:
    found = {}
    for scale in sorted({1.0, *settings.style_scales}, reverse=True):
        feature_layers = set(style_layers if scale in settings.style_scales else ())
        if scale == 1.0:
            feature_layers.add(content_layer)
        for feature_layer, features in _features(
            extractor, _resized(images, scale), feature_layers, settings
        ).items():
            found[_key(feature_layer, scale)] = features
    return found


def _features(
    extractor: Backbone, images: torch.Tensor, feature_layers: set[str], settings: Settings
) -> dict[str, torch.Tensor]:
    with autocast(settings, images.device.type):
        return cast("dict[str, torch.Tensor]", extractor(images, feature_layers))


def _palette(style_image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    quantiles = torch.tensor(_PALETTE, device=style_image.device)
    lowest, highest = style_image.flatten(2).quantile(quantiles, dim=2)
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


def _key(feature_layer: str, scale: float) -> str:
    return f"{feature_layer}@{scale:g}"


def _resized(images: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return images
    return functional.interpolate(
        images, scale_factor=scale, mode="bilinear", antialias=True, align_corners=False
    )
