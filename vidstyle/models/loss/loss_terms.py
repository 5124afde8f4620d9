"""The loss terms, one row each, for training and optimization alike.

Each term is divided by what an untouched image has: a loss network's raw losses differ by factors
of thousands from layer to layer and from style image to style image. The weight of a term is the
option ``NAME_weight`` of ``loss_options.LossWeights``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch

from vidstyle.models.loss.image_losses import (
    content_loss,
    range_penalty,
    structure_loss,
    style_loss,
    total_variation,
    visible_difference,
)
from vidstyle.models.loss.loss_options import Variation

# Part of a blank target's loss that a term is at least divided by: a content that is its own
# style image, or blank, must not divide by nothing.
_LEAST_PART = 1e-4
_LEAST_VARIATION = 1e-6

Key: TypeAlias = tuple[str, float]
"""A feature layer, and the image size at which it is computed, relative to the image."""
Features: TypeAlias = Mapping[Key, torch.Tensor]
Units: TypeAlias = tuple[float, ...]
"""What the parts of a term are divided by."""


@dataclass(frozen=True, slots=True, eq=False)
class StyleTarget:
    """What the features of one layer are compared with, for one style image."""

    key: Key
    gram: torch.Tensor
    """(1, C, C) of the style image."""
    layer_weight: float
    """Of the layer and size among the others, which sum to 1."""
    image_weight: float = 1.0
    """Of the style image among the others, which sum to 1."""
    mask: torch.Tensor | None = None
    """(1, 1, h, w) in [0, 1], where the style counts, at the size of the features."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What the previous frame shows on this frame's grid."""

    image: torch.Tensor
    """(N, C, H, W), its stylized image, warped."""
    visible: torch.Tensor
    """(N, 1, H, W) in [0, 1]: where it shows the same."""


@dataclass(frozen=True, slots=True, eq=False)
class LossInputs:
    """All that a term may look at."""

    image: torch.Tensor
    """(N, 1 or 3, H, W), the stylized image; values may lie outside of [0, 1]."""
    features: Features
    """Of the stylized image."""
    content: torch.Tensor
    """(N, 1 or 3, H, W) in [0, 1], the image that is stylized."""
    content_features: Features
    content_keys: Sequence[Key]
    """Those that are compared for content."""
    styles: Sequence[StyleTarget]
    limits: tuple[torch.Tensor | float, torch.Tensor | float]
    """Darkest and brightest values of the range of colors; numbers, or (1, C, 1, 1)."""
    variation: Variation
    past: Past | None = None


@dataclass(frozen=True, slots=True)
class LossTerm:
    """A differentiable function of an image, in units of an untouched one."""

    name: str
    value: Callable[[LossInputs, Units], torch.Tensor]
    """A scalar of the inputs, its parts divided by the units."""
    measure: Callable[[LossInputs], Units]
    """The units, of an image that is its own content."""
    needs: tuple[str, ...] = ()
    """Fields of ``LossInputs`` without which the term is left out."""


def _style(inputs: LossInputs, units: Units) -> torch.Tensor:
    """Gatys et al. 2016, equation 5, with normalized Gram matrices."""
    parts = [
        target.image_weight
        * (target.layer_weight / unit)
        * style_loss(inputs.features[target.key], target.gram, target.mask)
        for target, unit in zip(inputs.styles, units, strict=True)
    ]
    return torch.stack(parts).sum()


def _measure_style(untouched: LossInputs) -> Units:
    return tuple(
        _unit(style_loss(untouched.features[target.key], target.gram, target.mask), target.gram)
        for target in untouched.styles
    )


def _content(inputs: LossInputs, units: Units) -> torch.Tensor:
    """Gatys et al. 2016, equation 1."""
    parts = [
        content_loss(inputs.features[key], inputs.content_features[key]) / unit
        for key, unit in zip(inputs.content_keys, units, strict=True)
    ]
    return torch.stack(parts).mean()


def _measure_content(untouched: LossInputs) -> Units:
    """Against features that are their mean everywhere, since an untouched image has no loss."""
    found = [untouched.features[key] for key in untouched.content_keys]
    return tuple(_unit(content_loss(each, _mean(each).expand_as(each)), each) for each in found)


def _structure(inputs: LossInputs, units: Units) -> torch.Tensor:
    return structure_loss(inputs.image, inputs.content)


def _variation(inputs: LossInputs, units: Units) -> torch.Tensor:
    return total_variation(inputs.image, inputs.variation) / units[0]


def _measure_variation(untouched: LossInputs) -> Units:
    found = float(total_variation(untouched.image, untouched.variation))
    return (max(found, _LEAST_VARIATION),)


def _range_penalty(inputs: LossInputs, units: Units) -> torch.Tensor:
    return range_penalty(inputs.image, *inputs.limits)


def _temporal(inputs: LossInputs, units: Units) -> torch.Tensor:
    """Ruder et al. 2016, equation 7."""
    assert inputs.past is not None
    return visible_difference(inputs.image, inputs.past.image, inputs.past.visible) / units[0]


def _measure_temporal(untouched: LossInputs) -> Units:
    """The distance of the content to its mean color."""
    return (max(float((untouched.image - _mean(untouched.image)).square().mean()), _LEAST_PART),)


LOSS_TERMS: Mapping[str, LossTerm] = {
    term.name: term
    for term in (
        LossTerm("style", _style, _measure_style),
        LossTerm("content", _content, _measure_content),
        LossTerm("structure", _structure, lambda untouched: ()),
        LossTerm("variation", _variation, _measure_variation),
        LossTerm("range_penalty", _range_penalty, lambda untouched: ()),
        LossTerm("temporal", _temporal, _measure_temporal, needs=("past",)),
    )
}
"""By name, in the order in which they are added up."""


def _unit(untouched: torch.Tensor, blank: torch.Tensor) -> float:
    """The loss of an untouched image, or a part of that of a blank target."""
    return max(float(untouched), _LEAST_PART * float(blank.float().square().mean()), 1e-12)


def _mean(values: torch.Tensor) -> torch.Tensor:
    return values.mean(dim=(2, 3), keepdim=True)
