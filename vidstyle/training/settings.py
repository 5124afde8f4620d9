"""The settings of a training, declared once, and presets of them; usable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from vidstyle.models.loss.loss_options import LossOptions, Precision, Weight
from vidstyle.models.style.architectures import ArchitectureName


class TrainingSettings(LossOptions):
    """All that the result of a training depends on beside the images."""

    iterations: int = Field(2000, ge=1, description="Steps of the optimizer.")
    seed: int = Field(
        0, ge=0, lt=2**63, description="Seed of the initial weights, the crops and the noise."
    )
    architecture: ArchitectureName = Field("fast", description="Architecture of the network.")
    width: int = Field(16, ge=1, le=128, description="Channels of the network's finest layers.")
    initial_weights: Literal["base", "random"] = Field(
        "base",
        description="Weights to start at: of the base network that ships with vidstyle, which is"
        " there for the default network alone, or random ones.",
    )
    batch: int = Field(1, ge=1, description="Photos a step.")
    crop: int = Field(192, ge=32, multiple_of=4, description="Side of a photo's crop in pixels.")
    learning_rate: float = Field(2e-3, gt=0, description="Learning rate of Adam before the decay.")
    decay: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Part of the iterations, at the end, over which the learning rate falls to 0.",
    )
    precision: Precision = Field(
        "bfloat16", description="Of the convolutions; losses and weights are float32."
    )
    style_image_side: int = Field(
        512,
        ge=64,
        description="Shorter side of the style image in pixels: the larger, the finer the strokes.",
    )
    temporal_weight: Weight = Field(
        0.006,
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


DEFAULT = "default"

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
            "temporal_weight": 0.0,
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
            "variation_weight": 0.0,
            "temporal_weight": 0.0,
        },
    }
)
"""What each preset changes of the defaults of ``TrainingSettings``."""
