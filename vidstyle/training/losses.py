"""The terms of the training's loss: pure functions of pictures and features."""

from __future__ import annotations

import torch
from torch.nn import functional


def gram_matrix(features: torch.Tensor) -> torch.Tensor:
    """Gram matrices (N, C, C) of features (N, C, H, W), divided by C·H·W, as float32.

    Johnson et al. 2016, equation 3. The product is made in the features' own precision: in
    bfloat16 it is off by up to 0.4 %, far below what the style loss comes down to.
    """
    count, channels, height, width = features.shape
    # Pixels first: for channels_last features this is a view.
    flat = features.permute(0, 2, 3, 1).reshape(count, height * width, channels)
    return (flat.transpose(1, 2) @ flat).float() / (channels * height * width)


def style_loss(features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of the features' Gram matrices to a target (1 or N, C, C)."""
    found = gram_matrix(features)
    return functional.mse_loss(found, target.expand_as(found))


def content_loss(features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of two sets of features of one shape, in float32.

    Johnson et al. 2016, equation 2.
    """
    return functional.mse_loss(features.float(), target.float())


def total_variation(pictures: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of neighbours, down plus across, of pictures (N, C, H, W)."""
    down = pictures[:, :, 1:] - pictures[:, :, :-1]
    across = pictures[:, :, :, 1:] - pictures[:, :, :, :-1]
    return down.square().mean() + across.square().mean()


def range_excess(
    pictures: torch.Tensor, lowest: torch.Tensor, highest: torch.Tensor
) -> torch.Tensor:
    """Mean squared distance of pictures (N, C, H, W) to the range from lowest to highest.

    Both are (1, C, 1, 1). 0 where all values lie within.
    """
    return (pictures - pictures.clamp(lowest, highest)).square().mean()


def noise_gain(painted: torch.Tensor, again: torch.Tensor, noise: float) -> torch.Tensor:
    """How many times the power of noise grows: two paintings of a photo, one of them with noise.

    ``noise`` is its standard deviation. 1 for a network that returns its input.
    """
    return (again - painted).square().mean() / noise**2
