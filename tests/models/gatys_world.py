"""A world small enough to optimize in: a VGG19 of two blocks, a content and style images."""

from __future__ import annotations

import math

import torch

from vidstyle.models.loss.backbone import Backbone

Tensors = dict[str, torch.Tensor]


def vgg_weights() -> Tensors:
    """Random weights of VGG19 up to relu2_1."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for number, (inputs, outputs) in {0: (3, 64), 2: (64, 64), 5: (64, 128)}.items():
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        tensors[f"features.{number}.weight"] = weight * (2 / (9 * inputs)) ** 0.5
        tensors[f"features.{number}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
    return tensors


def small_backbone() -> Backbone:
    """With max pooling and torchvision's input."""
    return Backbone("vgg19", vgg_weights())


def waves(height: int, width: int, *, period: float = 12.0, color: int = 0) -> torch.Tensor:
    """A smooth image (1, 3, H, W) of waves, in [0, 1], with a little noise."""
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    planes = [
        0.5 + 0.35 * torch.sin(2 * math.pi * (xs * (1 + turn) + ys * (2 - turn)) / period + color)
        for turn in (0.0, 0.7, 1.4)
    ]
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(color))
    return (torch.stack(planes) + 0.1 * (noise - 0.5)).clamp(0, 1)[None]
