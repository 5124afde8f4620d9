"""What loss networks there are, and how they pool; usable without torch."""

from __future__ import annotations

from typing import Literal

BackboneName = Literal[
    "vgg16",
    "vgg19",
    "squeezenet",
    "inception",
    "densenet",
    "resnet",
    "convnext",
    "xception",
    "resnet-v2",
]

Pooling = Literal["max", "average"]


class LayerError(ValueError):
    """A layer that a loss network does not have, or that an image is too small for."""
