"""The loss networks that are supported, one row each; usable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

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
"""In order of preference: the first whose weights are there is the default."""

Pooling = Literal["max", "average"]


class LayerError(ValueError):
    """A layer that a loss network does not have, or that an image is too small for."""


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """Layers whose features a loss compares."""

    style: tuple[str, ...]
    """Those whose Gram matrices are compared."""
    content: str
    """The one whose features are compared."""
    scales: tuple[float, ...] = (1.0,)
    """Image sizes at which style is compared. Half the size stands in for deeper layers that the
    weights lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneRow:
    """All that is particular to one loss network."""

    model: str
    """``library:name`` of the classifier that it is part of, in torchvision or timm."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the library's constructor needs beside."""
    choices: tuple[LayerChoice, ...]
    """Good ones, the best first; the first that the weights reach is the default."""
    layers: str
    """Pattern of its layers, by the names that the library has for them."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names that papers use, where the library numbers its layers."""
    inner: bool = True
    """Whether parts of its layers can be asked for: all of them have their channels first."""
    bytes_per_pixel: int
    """Memory of an image's features and of what their gradient needs, with the default layers, in
    float32, and a tenth more."""


def _vgg(model: str, convolutions: tuple[int, ...], **row: Any) -> BackboneRow:
    """Blocks of convolutions with a ReLU each, and a pooling after each block."""
    names, number = {}, 0
    for block, count in enumerate(convolutions, start=1):
        for place in range(1, count + 1):
            names[f"conv{block}_{place}"] = f"features.{number}"
            names[f"relu{block}_{place}"] = f"features.{number + 1}"
            number += 2
        number += 1
    return BackboneRow(
        model=model,
        layers=r"features\.\d+",
        names=names,
        **row,
    )


BACKBONES: Mapping[BackboneName, BackboneRow] = {
    "vgg16": _vgg(
        "torchvision:vgg16",
        (2, 2, 3, 3, 3),
        choices=(
            # Johnson et al. 2016.
            LayerChoice(("relu1_2", "relu2_2", "relu3_3", "relu4_3"), "relu2_2"),
            LayerChoice(("relu1_2", "relu2_2", "relu3_3"), "relu2_2", (1.0, 0.5)),
        ),
        bytes_per_pixel=4400,
    ),
    "vgg19": _vgg(
        "torchvision:vgg19",
        (2, 2, 4, 4, 4),
        choices=(
            # Gatys et al. 2016.
            LayerChoice(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), "relu4_2"),
            # Ulyanov et al. 2016.
            LayerChoice(("relu1_1", "relu2_1", "relu3_1", "relu4_1"), "relu4_2"),
            LayerChoice(("relu1_2", "relu2_2", "relu3_2", "relu3_4"), "relu3_2", (1.0, 0.5)),
        ),
        bytes_per_pixel=4500,
    ),
    "squeezenet": BackboneRow(
        model="torchvision:squeezenet1_1",
        choices=(LayerChoice(("relu1", "fire3", "fire4", "fire5"), "fire2", (1.0, 0.5)),),
        layers=r"features\.\d+",
        names={
            "conv1": "features.0",
            "relu1": "features.1",
            **{
                f"fire{fire}": f"features.{number}"
                for fire, number in enumerate((3, 4, 6, 7, 9, 10, 11, 12), start=2)
            },
        },
        bytes_per_pixel=1700,
    ),
    # The layers of the others lie, as VGG's do, at every second size from the full one to an
    # eighth or a sixteenth, the content's at an eighth. All accept images of 32 pixels.
    "inception": BackboneRow(
        model="torchvision:inception_v3",
        arguments={"aux_logits": False, "init_weights": False},
        choices=(
            LayerChoice(
                ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_4a_3x3", "Mixed_5b", "Mixed_5d"),
                "Mixed_5b",
            ),
        ),
        layers=r"(Conv2d|Mixed)_\w+|maxpool[12]",
        bytes_per_pixel=1400,
    ),
    "densenet": BackboneRow(
        model="torchvision:densenet121",
        choices=(
            LayerChoice(
                (
                    "features.relu0",
                    "features.denseblock1",
                    "features.denseblock2",
                    "features.denseblock3",
                ),
                "features.denseblock2",
            ),
        ),
        layers=r"features\.\w+",
        bytes_per_pixel=4200,
    ),
    "resnet": BackboneRow(
        model="torchvision:resnet50",
        choices=(LayerChoice(("relu", "layer1.2", "layer2.3", "layer3.5"), "layer2.3"),),
        layers=r"conv1|bn1|relu|maxpool|layer\d\.\d",
        bytes_per_pixel=2600,
    ),
    "convnext": BackboneRow(
        model="torchvision:convnext_tiny",
        choices=(
            LayerChoice(
                ("features.0", "features.1.2", "features.3.2", "features.5.8"), "features.3.2"
            ),
        ),
        layers=r"features\.([0246]|[1357]\.\d)",
        # Its blocks have their channels last within.
        inner=False,
        bytes_per_pixel=2000,
    ),
    "xception": BackboneRow(
        model="timm:legacy_xception",
        choices=(LayerChoice(("act1", "act2", "block1", "block2", "block3"), "block2"),),
        layers=r"(conv|bn|act|block)\d+",
        bytes_per_pixel=2900,
    ),
    "resnet-v2": BackboneRow(
        model="timm:resnetv2_50",
        choices=(
            LayerChoice(
                ("stem.conv", "stages.0.blocks.2", "stages.1.blocks.3", "stages.2.blocks.5"),
                "stages.1.blocks.3",
            ),
        ),
        layers=r"stem\.\w+|stages\.\d\.blocks\.\d|norm",
        bytes_per_pixel=2500,
    ),
}
"""By name, in order of preference."""
