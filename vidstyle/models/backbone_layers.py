"""The layers of loss networks as tables, numbered as torchvision numbers its ``features``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import nn

Pooling = Literal["max", "average"]
BackboneName = Literal["vgg16", "vgg19", "squeezenet"]

Layer: TypeAlias = tuple[str, nn.Module]
"""A layer and the name of its tap, which is empty where nobody asks for its output."""

PREFIX = "features."
"""Of the keys in a file of weights; the layer's number and the parameter's name follow."""


@dataclass(frozen=True)
class Choice:
    """Layers for a style's training."""

    style: tuple[str, ...]
    """Whose Gram matrices are compared."""
    content: str
    """Whose features are compared."""


@dataclass(frozen=True)
class Blueprint:
    """A loss network without its weights."""

    layers: Callable[[Pooling], list[Layer]]
    """All of its layers, bottom to top."""
    choices: tuple[Choice, ...]
    """Good ones, the best first; the first one that the weights reach is the default."""


def empty_layers(name: str, pooling: Pooling) -> list[Layer]:
    """The layers of a backbone, with shapes and without memory for weights.

    Raises ValueError for a name or a pooling that there is not.
    """
    if name not in BACKBONES:
        raise ValueError(f"no backbone {name}; there are {', '.join(BACKBONES)}")
    if pooling not in ("max", "average"):
        raise ValueError(f"no pooling {pooling}; there are max, average")
    with torch.device("meta"):
        return BACKBONES[name].layers(pooling)


def reached_layers(layers: Sequence[Layer], keys: Collection[str]) -> list[Layer]:
    """The layers up to the deepest one that has a weight among ``keys``; at least the first."""
    weighted = [number for number, (_, module) in enumerate(layers) if module.state_dict()]
    there = [
        number
        for number in weighted
        if any(f"{PREFIX}{number}.{part}" in keys for part in layers[number][1].state_dict())
    ]
    deepest = max(there, default=0)
    end = min((number for number in weighted if number > deepest), default=len(layers))
    return list(layers[:end])


def smallest_side(layers: Sequence[Layer]) -> int:
    """The shortest side in pixels of a picture of which something comes out of the last layer."""
    side = 1
    for _, module in reversed(layers):
        if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
            # True of windows of 2 pixels, and of windows of 3 that may hang over the edge.
            side *= 2
        elif isinstance(module, nn.Conv2d):
            side = (
                (side - 1) * module.stride[0] + module.kernel_size[0] - 2 * int(module.padding[0])
            )
    return side


class Fire(nn.Module):
    """SqueezeNet's block: a 1x1 convolution to few channels, then 1x1 beside 3x3 to many."""

    def __init__(self, channels_in: int, squeezed: int, expanded: int) -> None:
        """``expanded`` channels come out of each of the two: together twice as many."""
        super().__init__()
        self.squeeze = nn.Conv2d(channels_in, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        squeezed = self.squeeze(features).relu_()
        both = torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1)
        return both.relu_()


def _vgg(convolutions: Sequence[int], pooling: Pooling) -> list[Layer]:
    """Blocks of 3x3 convolutions, a pooling after each (Simonyan, Zisserman 2014)."""
    layers: list[Layer] = []
    channels_in = 3
    for block, count in enumerate(convolutions, start=1):
        channels = min(512, 64 * 2 ** (block - 1))
        for number in range(1, count + 1):
            layers.append(("", nn.Conv2d(channels_in, channels, 3, padding=1)))
            layers.append((f"relu{block}_{number}", nn.ReLU(inplace=True)))
            channels_in = channels
        layers.append(("", nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)))
    return layers


def _squeezenet(pooling: Pooling) -> list[Layer]:
    """SqueezeNet 1.1 (Iandola et al. 2016, and the authors' later release)."""
    pool = nn.MaxPool2d if pooling == "max" else nn.AvgPool2d
    return [
        ("", nn.Conv2d(3, 64, 3, stride=2)),
        ("relu1", nn.ReLU(inplace=True)),
        ("", pool(3, stride=2, ceil_mode=True)),
        ("fire2", Fire(64, 16, 64)),
        ("fire3", Fire(128, 16, 64)),
        ("", pool(3, stride=2, ceil_mode=True)),
        ("fire4", Fire(128, 32, 128)),
        ("fire5", Fire(256, 32, 128)),
        ("", pool(3, stride=2, ceil_mode=True)),
        ("fire6", Fire(256, 48, 192)),
        ("fire7", Fire(384, 48, 192)),
        ("fire8", Fire(384, 64, 256)),
        ("fire9", Fire(512, 64, 256)),
    ]


BACKBONES: Mapping[str, Blueprint] = {
    "vgg16": Blueprint(
        lambda pooling: _vgg((2, 2, 3, 3, 3), pooling),
        (
            # Johnson et al. 2016.
            Choice(("relu1_2", "relu2_2", "relu3_3", "relu4_3"), "relu2_2"),
            Choice(("relu1_2", "relu2_2", "relu3_3"), "relu2_2"),
        ),
    ),
    "vgg19": Blueprint(
        lambda pooling: _vgg((2, 2, 4, 4, 4), pooling),
        (
            # Gatys et al. 2016.
            Choice(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), "relu4_2"),
            # Ulyanov et al. 2016.
            Choice(("relu1_1", "relu2_1", "relu3_1", "relu4_1"), "relu4_2"),
            Choice(("relu1_2", "relu2_2", "relu3_2", "relu3_4"), "relu3_2"),
        ),
    ),
    "squeezenet": Blueprint(_squeezenet, (Choice(("relu1", "fire3", "fire4", "fire5"), "fire2"),)),
}
"""The backbones by name."""
