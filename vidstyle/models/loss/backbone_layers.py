"""The loss networks that there are, as tables of their layers, each named as in its own files."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from vidstyle.models.loss.backbone_blueprint import (
    PREFIX,
    Blueprint,
    Choice,
    Layer,
    Pooling,
    layer_key,
    other_names,
    reached_layers,
    smallest_side,
)
from vidstyle.models.loss.backbone_modern import (
    convnext_layers,
    densenet_layers,
    inception_layers,
    resnet_layers,
)
from vidstyle.models.loss.backbone_names import BackboneName
from vidstyle.models.loss.backbone_plain import squeezenet, vgg
from vidstyle.models.loss.backbone_timm import resnet_v2_layers, xception_layers

__all__ = [
    "BACKBONES",
    "PREFIX",
    "BackboneName",
    "Blueprint",
    "Choice",
    "Layer",
    "Pooling",
    "empty_layers",
    "layer_key",
    "other_names",
    "reached_layers",
    "smallest_side",
]


def empty_layers(name: str, pooling: Pooling) -> list[Layer]:
    """The layers of a backbone, with shapes and without memory for weights.

    Raises ValueError for a name or a pooling that there is not, and UsageError for a network of
    timm where timm is not installed.
    """
    if name not in BACKBONES:
        raise ValueError(f"no backbone {name}; there are {', '.join(BACKBONES)}")
    if pooling not in ("max", "average"):
        raise ValueError(f"no pooling {pooling}; there are max, average")
    with torch.device("meta"):
        return BACKBONES[name].layers(pooling)


BACKBONES: Mapping[str, Blueprint] = {
    "vgg16": Blueprint(
        lambda pooling: vgg((2, 2, 3, 3, 3), pooling),
        (
            # Johnson et al. 2016.
            Choice(("relu1_2", "relu2_2", "relu3_3", "relu4_3"), "relu2_2"),
            Choice(("relu1_2", "relu2_2", "relu3_3"), "relu2_2", (1.0, 0.5)),
        ),
    ),
    "vgg19": Blueprint(
        lambda pooling: vgg((2, 2, 4, 4, 4), pooling),
        (
            # Gatys et al. 2016.
            Choice(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), "relu4_2"),
            # Ulyanov et al. 2016.
            Choice(("relu1_1", "relu2_1", "relu3_1", "relu4_1"), "relu4_2"),
            Choice(("relu1_2", "relu2_2", "relu3_2", "relu3_4"), "relu3_2", (1.0, 0.5)),
        ),
    ),
    "squeezenet": Blueprint(
        squeezenet, (Choice(("relu1", "fire3", "fire4", "fire5"), "fire2", (1.0, 0.5)),)
    ),
    # Those of the others lie, as VGG's do, at every second of the sizes from the full one to an
    # eighth or a sixteenth; the content at an eighth. All pass images of 32 pixels.
    "inception": Blueprint(
        inception_layers,
        (
            Choice(
                ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_4a_3x3", "Mixed_5b", "Mixed_5d"),
                "Mixed_5b",
            ),
        ),
        numbered=False,
    ),
    "densenet": Blueprint(
        densenet_layers,
        (
            Choice(
                (
                    "features.relu0",
                    "features.denseblock1",
                    "features.denseblock2",
                    "features.denseblock3",
                ),
                "features.denseblock2",
            ),
        ),
        numbered=False,
    ),
    "resnet": Blueprint(
        resnet_layers,
        (Choice(("relu", "layer1.2", "layer2.3", "layer3.5"), "layer2.3"),),
        numbered=False,
    ),
    "convnext": Blueprint(
        convnext_layers,
        (Choice(("features.0", "features.1.2", "features.3.2", "features.5.8"), "features.3.2"),),
        numbered=False,
        # Its blocks put the channels last within.
        inner=False,
    ),
    "xception": Blueprint(
        xception_layers,
        (Choice(("act1", "act2", "block1", "block2", "block3"), "block2"),),
        numbered=False,
    ),
    "resnet-v2": Blueprint(
        resnet_v2_layers,
        (
            Choice(
                ("stem.conv", "stages.0.blocks.2", "stages.1.blocks.3", "stages.2.blocks.5"),
                "stages.1.blocks.3",
            ),
        ),
        numbered=False,
    ),
}
"""The backbones by name."""
