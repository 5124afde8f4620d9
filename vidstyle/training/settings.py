"""The settings of a training, declared once, and presets of them; usable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field

from vidstyle.models.loss.backbone_table import BackboneName
from vidstyle.models.loss.loss_options import (
    LossOptions,
    Precision,
    Scale,
    Weight,
    has_weights,
)
from vidstyle.models.style.architectures import ArchitectureName
from vidstyle.models.style.styles import base_network, find_style


class TrainingSettings(LossOptions):
    """All that the result of a training depends on beside the images."""

    iterations: int = Field(2000, ge=1, description="Steps of the optimizer.")
    seed: int = Field(
        0, ge=0, lt=2**63, description="Seed of the initial weights, the crops and the noise."
    )
    architecture: ArchitectureName = Field("fast", description="Architecture of the network.")
    width: int = Field(16, ge=1, le=128, description="Channels of the network's finest layers.")
    initial_weights: str = Field(
        "base",
        min_length=1,
        description="Weights to start at: base for those of the base network that ships with"
        " vidstyle, which is there for the default network alone; nearest for those of the shipped"
        " style that has most of the style image; random; or a style, by name or file.",
    )
    ramp: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Part of the iterations, at the start, over which the weights of content,"
        " structure and temporal loss rise from 0: what holds to the photo from the start draws"
        " nothing.",
    )
    second_backbone: Literal["auto", "none"] | BackboneName = Field(
        "auto",
        description="A second loss network that takes its turn with the first, so that neither is"
        " overfitted. auto: the other one of vgg16 and vgg19 where its weights are there.",
    )
    batch: int = Field(1, ge=1, description="Photos a step.")
    crop: int = Field(
        208,
        ge=32,
        multiple_of=4,
        description="Side in pixels of a photo's crop at full size. A crop that is compared at"
        " half the size is larger by the square root of two.",
    )
    learning_rate: float = Field(2e-3, gt=0, description="Learning rate of Adam before the decay.")
    decay: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Part of the iterations, at the end, over which the learning rate falls to 0.",
    )
    precision: Precision = Field(
        "bfloat16", description="Precision of the convolutions; losses and weights are float32."
    )
    style_image_side: int = Field(
        380,
        ge=64,
        description="Shorter side of the style image in pixels: the larger, the larger the"
        " strokes.",
    )
    style_scales: tuple[Scale, ...] = Field(
        (1.0, 1.0, 0.5),
        min_length=1,
        description="Image sizes at which style and content are compared, in turn, one a step.",
    )
    content_weight: Weight = Field(
        0.1, description="Weight of the content loss, which is 1 for an image without content."
    )
    content_target: float = Field(
        1.0,
        ge=0,
        description="Content loss at which its weight counts as given. The weight grows by the"
        " square of how much larger a photo's is, so that every style keeps about as much of the"
        " photo. 0: the weight stays.",
    )
    structure_weight: Weight = Field(
        0.15,
        description="Weight of how far light and dark lie otherwise than in the content, 0 to 2."
        " Keeps faces and lettering.",
    )
    variation_weight: Weight = Field(
        0.0, description="Weight of the total variation, which is 1 for an untouched image."
    )
    temporal_weight: Weight = Field(
        0.003,
        description="Weight of the difference to the previous stylized image, warped, which is 1"
        " for a network that returns its input; 0 trains on single images.",
    )
    noise: float = Field(
        0.02,
        gt=0,
        le=1,
        description="Standard deviation of the noise, of images in [0, 1], that is added to the"
        " earlier image of a pair: stylization shall not depend on it.",
    )

    def initial_weights_file(self) -> Path | None:
        """Find the file of the weights at which a training starts.

        Returns:
            The file; None for random weights, for the nearest style, which the style image
            decides, and where no base network ships.

        Raises:
            WeightsError: There is no such style.
        """
        if self.initial_weights in ("random", "nearest"):
            return None
        if self.initial_weights != "base":
            return find_style(self.initial_weights)
        path = base_network(self.architecture, self.width)
        return path if path.is_file() else None

    def resolve_auto(self, device: str, weights: str | Path | None = None) -> Self:
        """Replace every ``auto`` by a value, as ``LossOptions`` does.

        Args:
            device: By torch's name.
            weights: A file or folder of the loss networks' weights.

        Returns:
            The settings without ``auto``.
        """
        found = super().resolve_auto(device, weights)
        if found.second_backbone != "auto":
            return found
        second = _PARTNERS.get(found.backbone, "none")
        if second != "none" and not has_weights(second, weights):
            second = "none"
        return found.model_copy(update={"second_backbone": second})


# Networks that see alike, and differ in what they cannot see.
_PARTNERS: Mapping[str, Literal["none"] | BackboneName] = {"vgg16": "vgg19", "vgg19": "vgg16"}

DEFAULT = "default"
# What is not of the papers.
_PLAIN: Mapping[str, Any] = {
    "second_backbone": "none",
    "style_image_side": 512,
    "ramp": 0.0,
    "content_target": 0.0,
    "structure_weight": 0.0,
    "temporal_weight": 0.0,
}

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        DEFAULT: {},
        # Johnson, Alahi, Fei-Fei 2016, section 4.1: the 80,000 photos of COCO twice over. The
        # paper normalizes by batch and bounds its output by a tanh; the network here normalizes
        # by instance, and the range penalty keeps its output in range. The weights of the paper
        # were chosen again for each style image; here the terms are calibrated.
        "johnson-2016": {
            "architecture": "johnson-fractional",
            "width": 32,
            "initial_weights": "random",
            "iterations": 40_000,
            "batch": 4,
            "crop": 256,
            "learning_rate": 1e-3,
            "decay": 0.0,
            "precision": "float32",
            "backbone": "vgg16",
            "pooling": "max",
            "style_layers": ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
            "style_scales": (1.0,),
            "content_layers": ("relu2_2",),
            "content_weight": 0.03,
            "variation_weight": 0.01,
            **_PLAIN,
        },
        # Ulyanov, Vedaldi, Lempitsky 2016 and 2017: instance normalization in the network of
        # Johnson et al., trained on single images; average pooling is Gatys et al.'s. The
        # authors let the learning rate fall in steps; here it falls in a line.
        "instance-norm": {
            "architecture": "johnson",
            "width": 32,
            "initial_weights": "random",
            "iterations": 20_000,
            "batch": 1,
            "crop": 256,
            "learning_rate": 1e-3,
            "decay": 1.0,
            "precision": "float32",
            "backbone": "vgg19",
            "pooling": "average",
            "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
            "style_scales": (1.0,),
            "content_layers": ("relu4_2",),
            "content_weight": 0.03,
            "variation_weight": 0.0,
            **_PLAIN,
        },
    }
)
"""What each preset changes of the defaults of ``TrainingSettings``."""
