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


def temporal_error(
    current: torch.Tensor, previous: torch.Tensor, flow: torch.Tensor, visible: torch.Tensor
) -> torch.Tensor:
    """Mean squared difference of pictures (N, 3, H, W) to their warped predecessors.

    Over what was ``visible`` (N, 1, H, W) before; ``flow`` (N, 2, H, W) is in pixels and points
    from current to previous. 0 where nothing was visible. Ruder et al. 2016, equation 6, with
    the training of Gao et al. 2018 (ReCoNet).
    """
    difference = (current - warp(previous, flow)).square().mean(dim=1, keepdim=True)
    return (visible * difference).sum() / visible.sum().clamp(min=1.0)


def warp(previous: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Pictures (N, C, H, W) looked up at the places that flow (N, 2, H, W) in pixels points to.

    Bicubic: a bilinear look-up blurs, and a loss on it would reward blurred paintings.
    """
    height, width = previous.shape[2:]
    ys, xs = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=flow.dtype),
        torch.arange(width, device=flow.device, dtype=flow.dtype),
        indexing="ij",
    )
    grid = torch.stack(
        ((xs + flow[:, 0]) * (2 / (width - 1)) - 1, (ys + flow[:, 1]) * (2 / (height - 1)) - 1),
        dim=-1,
    )
    return functional.grid_sample(
        previous, grid, mode="bicubic", padding_mode="border", align_corners=True
    )
