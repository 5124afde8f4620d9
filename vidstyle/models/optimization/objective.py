"""The loss of an image that is optimized (Gatys et al. 2016), with its gradient.

Each term is divided by what the untouched content has, as in training: a backbone's raw losses
differ by factors of thousands from layer to layer and from painting to painting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.image_losses import (
    content_loss,
    gram_matrix,
    range_penalty,
    style_loss,
    total_variation,
    visible_difference,
)
from vidstyle.models.optimization.settings import LossSettings, Past, StyleReference

_LEAST_SHARE = 1e-4
"""Of what a term would be for a blank target: a content that is its own painting, or blank, must
not divide by nothing."""
_LEAST_VARIATION = 1e-6
_MARGIN = 8
"""Pixels by which images are mirrored beyond their edges before a network sees them. Networks pad
with zeros, which are no image: by those the style of an edge is met best if it is flat and gray.
"""

Features = Mapping[tuple[str, float], torch.Tensor]
"""By tap and scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The loss of an image, and where it grows."""

    loss: float
    """The weighted sum of the terms."""
    terms: Mapping[str, float]
    """Before they are weighted."""
    gradient: torch.Tensor
    """Of the loss, by the image."""


class Objective:
    """What an optimization makes small for one content image at one size."""

    def __init__(
        self,
        backbone: Backbone,
        content: torch.Tensor,
        references: Sequence[StyleReference],
        settings: LossSettings,
        *,
        past: Past | None = None,
    ) -> None:
        """``content`` is (1, 3, H, W) RGB in [0, 1], or (1, 1, H, W), which stands for gray; the
        references' paintings have their own size.

        Raises ValueError for a layer that the backbone does not have, and where the content or
        a painting is too small for one.
        """
        if not references:
            raise ValueError("there is no painting to learn a style from")
        self._backbone, self._settings, self._past = backbone, settings, past
        self._styles = _shares(settings.style_layers, backbone)
        self._content_feature_layers = settings.content_feature_layers or (
            backbone.default_content_layer,
        )
        scales = settings.style_scales or backbone.default_style_scales
        side = min(content.shape[2:])
        # A small image does without the sizes at which its layers would see nothing.
        least = backbone.smallest_side(self._styles)
        self._scales = [scale for scale in scales if side * scale >= least] or [1.0]
        with torch.no_grad():
            self._measure(content, references)

    def _measure(self, content: torch.Tensor, references: Sequence[StyleReference]) -> None:
        found = self._features(content)
        self._wanted = {
            feature_layer: found[feature_layer, 1.0]
            for feature_layer in self._content_feature_layers
        }
        self._units = {
            "variation": max(
                float(total_variation(content, self._settings.variation)), _LEAST_VARIATION
            ),
            "temporal": max(float((content - _mean(content)).square().mean()), _LEAST_SHARE),
        }
        self._content_units = {
            feature_layer: _unit(
                content_loss(features, _mean(features).expand_as(features)), features
            )
            for feature_layer, features in self._wanted.items()
        }
        self._targets = [self._target(found, reference) for reference in references]
        total = sum(reference.weight for reference in references)
        self._reference_shares = [reference.weight / total for reference in references]

    def _target(self, content: Features, reference: StyleReference) -> list[_Target]:
        style_image = self._features(reference.image)
        targets = []
        for key, share in self._keys().items():
            gram = gram_matrix(style_image[key])
            mask = _at_size(reference.mask, content[key])
            unit = _unit(style_loss(content[key], gram, mask), gram)
            targets.append(_Target(key, gram, mask, share / unit))
        return targets

    def terms(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """``style``, ``content``, ``variation``, ``excess`` and, with a past, ``temporal`` of a
        image (1, 1 or 3, H, W), differentiable; of one channel, that of a gray image."""
        found = self._features(image)
        styles = [
            share * target.factor * style_loss(found[target.key], target.gram, target.mask)
            for share, targets in zip(self._reference_shares, self._targets, strict=True)
            for target in targets
        ]
        contents = [
            content_loss(found[feature_layer, 1.0], wanted) / self._content_units[feature_layer]
            for feature_layer, wanted in self._wanted.items()
        ]
        variation = total_variation(image, self._settings.variation)
        terms = {
            "style": torch.stack(styles).sum(),
            "content": torch.stack(contents).mean(),
            "variation": variation / self._units["variation"],
            "range_penalty": range_penalty(image, 0.0, 1.0),
        }
        if self._past is not None:
            error = visible_difference(image, self._past.image, self._past.visible)
            terms["temporal"] = error / self._units["temporal"]
        return terms

    def total(self, terms: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weighted sum."""
        weights = self._settings.weights
        return torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()

    def evaluate(self, image: torch.Tensor) -> Evaluation:
        """The loss of an image and its gradient."""
        variable = image.detach().requires_grad_()
        terms = self.terms(variable)
        loss = self.total(terms)
        (gradient,) = torch.autograd.grad(loss, variable)
        values = torch.stack([loss, *terms.values()]).tolist()
        return Evaluation(values[0], dict(zip(terms, values[1:], strict=True)), gradient)

    def _keys(self) -> dict[tuple[str, float], float]:
        """What is compared for style, with shares that sum to 1."""
        return {
            (feature_layer, scale): share / len(self._scales)
            for scale in self._scales
            for feature_layer, share in self._styles.items()
        }

    def _features(self, image: torch.Tensor) -> Features:
        found: dict[tuple[str, float], torch.Tensor] = {}
        image = image.expand(-1, 3, -1, -1)
        kind = image.device.type
        single = self._settings.precision == "float32"
        for scale in {1.0, *self._scales}:
            feature_layers = {
                *(self._styles if scale in self._scales else ()),
                *(self._content_feature_layers if scale == 1.0 else ()),
            }
            sized = _sized(image, scale)
            self._backbone.check_size(sized, feature_layers)
            with torch.autocast(kind, torch.bfloat16, enabled=not single):
                features = self._backbone(_mirrored(sized), feature_layers)
            found |= {
                (feature_layer, scale): _within(value, sized)
                for feature_layer, value in features.items()
            }
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """What one layer is to look like."""

    key: tuple[str, float]
    gram: torch.Tensor
    mask: torch.Tensor | None
    factor: float
    """Of its loss in the style term."""


def _shares(feature_layers: Mapping[str, float] | None, backbone: Backbone) -> dict[str, float]:
    chosen = feature_layers or dict.fromkeys(backbone.default_style_layers, 1.0)
    total = sum(chosen.values())
    return {feature_layer: weight / total for feature_layer, weight in chosen.items()}


def _unit(untouched: torch.Tensor, blank: torch.Tensor) -> float:
    """What a term is measured by: its value on the content, or some of that of a blank target."""
    return max(float(untouched), _LEAST_SHARE * float(blank.float().square().mean()), 1e-12)


def _mean(values: torch.Tensor) -> torch.Tensor:
    return values.mean(dim=(2, 3), keepdim=True)


def _at_size(mask: torch.Tensor | None, features: torch.Tensor) -> torch.Tensor | None:
    """A mask at a layer's size: each place has the share of white that it sees."""
    height, width = features.shape[2:]
    return None if mask is None else functional.adaptive_avg_pool2d(mask, (height, width))


def _sized(image: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return image
    return functional.interpolate(
        image, scale_factor=scale, mode="bilinear", antialias=True, align_corners=False
    )


def _mirrored(image: torch.Tensor) -> torch.Tensor:
    """Mirrored beyond its edges, the outermost pixels twice: so all pixels count alike.

    A layer looks at a pixel from places on all sides; those beyond the edge, which ``_within``
    takes away, look at its double instead.
    """
    for side in (2, 3):
        margin = min(_MARGIN, image.shape[side])
        before = image.narrow(side, 0, margin).flip(side)
        after = image.narrow(side, image.shape[side] - margin, margin).flip(side)
        image = torch.cat([before, image, after], dim=side)
    return image


def _within(features: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Features of a mirrored image, without those that lie wholly beyond the image's edges."""
    for side in (2, 3):
        length, found = image.shape[side], features.shape[side]
        margin = min(_MARGIN, length)
        beyond = margin * found // (length + 2 * margin)
        features = features.narrow(side, beyond, found - 2 * beyond)
    return features
