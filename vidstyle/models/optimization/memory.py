"""How much memory an optimization takes, measured at 384x288; usable without torch."""

from __future__ import annotations

from vidstyle.models.loss.backbone_table import BACKBONES, BackboneName
from vidstyle.models.optimization.settings import DescentSettings
from vidstyle.models.weights.catalog import CATALOG

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
    features = BACKBONES[backbone].bytes_per_pixel * max(pixels, _UNFOLLOWED * (pixels + looked_at))
    images = _IMAGE * (kept + _IMAGES) * pixels
    read = _LIBRARIES + round(CATALOG[backbone].mebibytes * 2**20)
    return read + _DECODED * style_image_pixels + round(features) + images
