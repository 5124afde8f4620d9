"""VGG and SqueezeNet, written down: they need no torchvision, and files may end in their midst."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from vidstyle.models.loss.backbone_blueprint import Layer, Pooling


def vgg(convolutions: Sequence[int], pooling: Pooling) -> list[Layer]:
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


def squeezenet(pooling: Pooling) -> list[Layer]:
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
