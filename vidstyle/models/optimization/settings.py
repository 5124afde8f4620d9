"""The dials of an image's optimization, and what it is painted after; usable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

_LEAST_SIDE = 64
"""Shorter side in pixels of a coarse level: below it nothing of an image is left to paint on."""

Optimizer = Literal["lbfgs", "adam"]
Start = Literal["content", "noise", "previous"]
Precision = Literal["float32", "bfloat16"]
Variation = Literal["squared", "absolute"]
Colors = Literal["style_image", "luminance", "transfer"]
"""The painting's own; only light and dark are painted, on the content's colors (Gatys et al. 2016,
Preserving Color, section 3.2); or the painting's colors are moved to the content's before it is
learned from (section 3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWeights:
    """How much each term counts. All are ratios to what an untouched image has, so that these
    serve every backbone and painting."""

    style: float = 1.0
    """1 is the style loss of the content itself."""
    content: float = 0.03
    """1 is the content loss of an image that shows the mean feature everywhere."""
    variation: float = 0.01
    """1 is the total variation of the content."""
    temporal: float = 10.0
    """1 is the distance, where it is visible, of the content to its mean color."""
    range_penalty: float = 10.0
    """Of the mean squared distance to [0, 1], which no file can hold; not a ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSettings:
    """What is compared."""

    weights: LossWeights = LossWeights()
    style_layers: Mapping[str, float] | None = None
    """The layers for style with their weights; by default the backbone's, each alike."""
    content_feature_layers: tuple[str, ...] | None = None
    """The layers for content; by default the backbone's."""
    style_scales: tuple[float, ...] | None = None
    """Sizes at which style is compared, as shares of the image's; by default the backbone's."""
    variation: Variation = "squared"
    precision: Precision = "float32"
    """Of the convolutions; all else is float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescentSettings:
    """How the loss is made small."""

    steps: int = 300
    """At most, over all sizes."""
    optimizer: Optimizer = "lbfgs"
    memory: int = 20
    """Past steps that L-BFGS keeps; each takes the memory of two images."""
    learning_rate: float = 0.02
    """Of Adam, in units of [0, 1]: how far a pixel moves in a step at most, roughly."""
    levels: int = 1
    """Sizes, each half the next one's side, that are gone through from coarse to fine."""
    start: Start = "content"
    seed: int = 0
    """Of the noise."""
    tolerance: float = 0.0
    """It ends where the loss falls by less than this share over ``patience`` steps; 0: never."""
    patience: int = 20


def level_divisors(side: int, count: int) -> list[int]:
    """What the sizes of that many levels are divided by, the last one 1.

    Fewer than wanted where the image, whose shorter side is ``side`` pixels, is small.
    """
    return [
        2**level for level in reversed(range(count)) if not level or side >> level >= _LEAST_SIDE
    ]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StyleReference:
    """A painting."""

    image: torch.Tensor
    """(1, 3, H, W) RGB in [0, 1], at the size at which its strokes are to be learned."""
    weight: float = 1.0
    """Against the other paintings."""
    mask: torch.Tensor | None = None
    """Where the content takes this style: (1, 1, h, w) in [0, 1], of any size; None: everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What the frame before looks like on this frame's grid."""

    image: torch.Tensor
    """(1, 3, H, W), its result, warped."""
    visible: torch.Tensor
    """(1, 1, H, W) in [0, 1]: where it shows the same."""
    start: torch.Tensor | None = None
    """(1, 3, H, W), what to begin at; otherwise at ``image`` where it is visible, and
    elsewhere at the content in its colors."""
