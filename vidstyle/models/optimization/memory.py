"""How much memory an optimization takes, measured at 384x288; usable without torch."""

from __future__ import annotations

from collections.abc import Mapping

from vidstyle.models.loss.backbone_names import BackboneName
from vidstyle.models.optimization.settings import DescentSettings
from vidstyle.models.weights.catalog import CATALOG

_FEATURES: Mapping[BackboneName, int] = {
    "vgg16": 4400,
    "vgg19": 4500,
    "squeezenet": 1700,
    "inception": 1400,
    "densenet": 4200,
    "resnet": 2600,
    "convnext": 2000,
    "xception": 2900,
    "resnet-v2": 2500,
}
"""Bytes a pixel of what a network keeps for its gradient, with its default layers, and a tenth
more. In bfloat16 they are not reliably fewer: what is computed from them is float32."""
_UNFOLLOWED = 0.5
"""Of a painting, whose features need no gradient."""
_MARGIN = 16
"""Pixels by which images are wider and higher in a network."""
_IMAGE = 12
"""Bytes a pixel, of float32."""
_IMAGES = 12
"""That an optimization works with, beside what its optimizer remembers."""
_DECODED = 15
"""Bytes a pixel of a painting as it is read: 8 bits and float32."""
_LIBRARIES = 150 * 2**20
"""Bytes of torchvision or timm."""


def gatys_memory(
    backbone: BackboneName,
    settings: DescentSettings,
    *,
    width: int,
    height: int,
    style_scale: float,
    style_image_pixels: int,
) -> int:
    """Bytes at most of a processor that optimizes an image of that size.

    The paintings, which have ``style_image_pixels`` together as they are read, are looked at with a
    longer side that is ``style_scale`` times the image's.
    """
    pixels = (width + _MARGIN) * (height + _MARGIN)
    # As much as a square one has.
    looked_at = (style_scale * max(width, height) + _MARGIN) ** 2
    kept = 2 * settings.memory if settings.optimizer == "lbfgs" else 2
    features = _FEATURES[backbone] * max(pixels, _UNFOLLOWED * (pixels + looked_at))
    images = _IMAGE * (kept + _IMAGES) * pixels
    read = _LIBRARIES + round(CATALOG[backbone].mebibytes * 2**20)
    return read + _DECODED * style_image_pixels + round(features) + images
