"""The loss of a picture that is optimised (Gatys et al. 2016), with its gradient.

Each term is divided by what the untouched content has, as in training: a backbone's raw losses
differ by factors of thousands from layer to layer and from painting to painting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from vidstyle.models.loss.backbones import Backbone
from vidstyle.models.loss.image_losses import (
    content_loss,
    gram_matrix,
    range_excess,
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
"""Pixels by which pictures are mirrored beyond their edges before a network sees them. Networks pad
with zeros, which are no picture: by those the style of an edge is met best if it is flat and grey.
"""

Features = Mapping[tuple[str, float], torch.Tensor]
"""By tap and scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The loss of a picture, and where it grows."""

    loss: float
    """The weighted sum of the terms."""
    terms: Mapping[str, float]
    """Before they are weighted."""
    gradient: torch.Tensor
    """Of the loss, by the picture."""


class Objective:
    """What an optimisation makes small for one content picture at one size."""

    def __init__(
        self,
        backbone: Backbone,
        content: torch.Tensor,
        references: Sequence[StyleReference],
        settings: LossSettings,
        *,
        past: Past | None = None,
    ) -> None:
        """``content`` is (1, 3, H, W) RGB in [0, 1], or (1, 1, H, W), which stands for grey; the
        references' paintings have their own size.

        Raises ValueError for a layer that the backbone does not have, and where the content or
        a painting is too small for one.
        """
        if not references:
            raise ValueError("there is no painting to learn a style from")
        self._backbone, self._settings, self._past = backbone, settings, past
        self._styles = _shares(settings.style_taps, backbone)
        self._content_taps = settings.content_taps or (backbone.default_content_tap,)
        scales = settings.style_scales or backbone.default_style_scales
        side = min(content.shape[2:])
        # A small picture does without the sizes at which its layers would see nothing.
        least = max(map(backbone.smallest_side, self._styles))
        self._scales = [scale for scale in scales if side * scale >= least] or [1.0]
        with torch.no_grad():
            self._measure(content, references)

    def _measure(self, content: torch.Tensor, references: Sequence[StyleReference]) -> None:
        found = self._features(content)
        self._wanted = {tap: found[tap, 1.0] for tap in self._content_taps}
        self._units = {
            "variation": max(
                float(total_variation(content, self._settings.variation)), _LEAST_VARIATION
            ),
            "temporal": max(float((content - _mean(content)).square().mean()), _LEAST_SHARE),
        }
        self._content_units = {
            tap: _unit(content_loss(features, _mean(features).expand_as(features)), features)
            for tap, features in self._wanted.items()
        }
        self._targets = [self._target(found, reference) for reference in references]
        total = sum(reference.weight for reference in references)
        self._reference_shares = [reference.weight / total for reference in references]

    def _target(self, content: Features, reference: StyleReference) -> list[_Target]:
        painting = self._features(reference.picture)
        targets = []
        for key, share in self._keys().items():
            gram = gram_matrix(painting[key])
            mask = _at_size(reference.mask, content[key])
            unit = _unit(style_loss(content[key], gram, mask), gram)
            targets.append(_Target(key, gram, mask, share / unit))
        return targets

    def terms(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """``style``, ``content``, ``variation``, ``excess`` and, with a past, ``temporal`` of a
        picture (1, 1 or 3, H, W), differentiable; of one channel, that of a grey picture."""
        found = self._features(picture)
        styles = [
            share * target.factor * style_loss(found[target.key], target.gram, target.mask)
            for share, targets in zip(self._reference_shares, self._targets, strict=True)
            for target in targets
        ]
        contents = [
            content_loss(found[tap, 1.0], wanted) / self._content_units[tap]
            for tap, wanted in self._wanted.items()
        ]
        variation = total_variation(picture, self._settings.variation)
        terms = {
            "style": torch.stack(styles).sum(),
            "content": torch.stack(contents).mean(),
            "variation": variation / self._units["variation"],
            "excess": range_excess(picture, 0.0, 1.0),
        }
        if self._past is not None:
            error = visible_difference(picture, self._past.picture, self._past.visible)
            terms["temporal"] = error / self._units["temporal"]
        return terms

    def total(self, terms: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weighted sum."""
        weights = self._settings.weights
        return torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()

    def evaluate(self, picture: torch.Tensor) -> Evaluation:
        """The loss of a picture and its gradient."""
        variable = picture.detach().requires_grad_()
        terms = self.terms(variable)
        loss = self.total(terms)
        (gradient,) = torch.autograd.grad(loss, variable)
        values = torch.stack([loss, *terms.values()]).tolist()
        return Evaluation(values[0], dict(zip(terms, values[1:], strict=True)), gradient)

    def _keys(self) -> dict[tuple[str, float], float]:
        """What is compared for style, with shares that sum to 1."""
        return {
            (tap, scale): share / len(self._scales)
            for scale in self._scales
            for tap, share in self._styles.items()
        }

    def _features(self, picture: torch.Tensor) -> Features:
        found: dict[tuple[str, float], torch.Tensor] = {}
        picture = picture.expand(-1, 3, -1, -1)
        kind = picture.device.type
        single = self._settings.precision == "float32"
        for scale in {1.0, *self._scales}:
            taps = {
                *(self._styles if scale in self._scales else ()),
                *(self._content_taps if scale == 1.0 else ()),
            }
            sized = _sized(picture, scale)
            self._backbone.check_size(sized, taps)
            with torch.autocast(kind, torch.bfloat16, enabled=not single):
                features = self._backbone(_mirrored(sized), taps)
            found |= {(tap, scale): _within(value, sized) for tap, value in features.items()}
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """What one layer is to look like."""

    key: tuple[str, float]
    gram: torch.Tensor
    mask: torch.Tensor | None
    factor: float
    """Of its loss in the style term."""


def _shares(taps: Mapping[str, float] | None, backbone: Backbone) -> dict[str, float]:
    chosen = taps or dict.fromkeys(backbone.default_style_taps, 1.0)
    total = sum(chosen.values())
    return {tap: weight / total for tap, weight in chosen.items()}


def _unit(untouched: torch.Tensor, blank: torch.Tensor) -> float:
    """What a term is measured by: its value on the content, or some of that of a blank target."""
    return max(float(untouched), _LEAST_SHARE * float(blank.float().square().mean()), 1e-12)


def _mean(values: torch.Tensor) -> torch.Tensor:
    return values.mean(dim=(2, 3), keepdim=True)


def _at_size(mask: torch.Tensor | None, features: torch.Tensor) -> torch.Tensor | None:
    """A mask at a layer's size: each place has the share of white that it sees."""
    height, width = features.shape[2:]
    return None if mask is None else functional.adaptive_avg_pool2d(mask, (height, width))


def _sized(picture: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return picture
    return functional.interpolate(
        picture, scale_factor=scale, mode="bilinear", antialias=True, align_corners=False
    )


def _mirrored(picture: torch.Tensor) -> torch.Tensor:
    """Mirrored beyond its edges, the outermost pixels twice: so all pixels count alike.

    A layer looks at a pixel from places on all sides; those beyond the edge, which ``_within``
    takes away, look at its double instead.
    """
    for side in (2, 3):
        margin = min(_MARGIN, picture.shape[side])
        before = picture.narrow(side, 0, margin).flip(side)
        after = picture.narrow(side, picture.shape[side] - margin, margin).flip(side)
        picture = torch.cat([before, picture, after], dim=side)
    return picture


def _within(features: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """Features of a mirrored picture, without those that lie wholly beyond the picture's edges."""
    for side in (2, 3):
        length, found = picture.shape[side], features.shape[side]
        margin = min(_MARGIN, length)
        beyond = margin * found // (length + 2 * margin)
        features = features.narrow(side, beyond, found - 2 * beyond)
    return features
