"""Losses of images and features, of which the terms of an objective are made.

All are differentiable, and computed in float32 at least.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from vidstyle.models.loss.loss_options import Variation


def gram_matrix(features: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Gram matrices (N, C, C) of features (N, C, H, W), divided by C·H·W, as float32.

    Johnson et al. 2016, equation 3. With a ``mask`` (1 or N, 1, H, W) in [0, 1] each place counts
    that much, and the divisor is C times its sum (Gatys et al. 2017, equation 5). The product is
    made in the features' own precision: in bfloat16 it is off by up to 0.4 %, far below what
    the style loss comes down to.
    """
    count, channels, height, width = features.shape
    # Pixels first: for channels_last features this is a view.
    flat = features.permute(0, 2, 3, 1).reshape(count, height * width, channels)
    if mask is None:
        return _at_least_single(flat.transpose(1, 2) @ flat) / (channels * height * width)
    share = mask.reshape(-1, height * width, 1)
    product = (flat * share.to(flat.dtype)).transpose(1, 2) @ flat
    return _at_least_single(product) / (channels * share.sum(dim=1, keepdim=True).clamp(min=1e-6))


def style_loss(
    features: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean squared difference of the features' Gram matrices to a target (1 or N, C, C)."""
    found = gram_matrix(features, mask)
    return functional.mse_loss(found, target.expand_as(found))


def content_loss(features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of two sets of features of one shape.

    Johnson et al. 2016, equation 2.
    """
    return functional.mse_loss(_at_least_single(features), _at_least_single(target))


def total_variation(images: torch.Tensor, kind: Variation = "squared") -> torch.Tensor:
    """Mean difference of neighbors, down plus across, of images (N, C, H, W).

    ``squared`` smooths everything, ``absolute`` leaves edges (Rudin et al. 1992, anisotropic).
    """
    down = images[:, :, 1:] - images[:, :, :-1]
    across = images[:, :, :, 1:] - images[:, :, :, :-1]
    if kind == "squared":
        return _mean(down.square()) + _mean(across.square())
    return _mean(down.abs()) + _mean(across.abs())


def range_penalty(
    images: torch.Tensor, lowest: torch.Tensor | float, highest: torch.Tensor | float
) -> torch.Tensor:
    """Mean squared distance of images (N, C, H, W) to the range from lowest to highest.

    Both are numbers or (1, C, 1, 1). 0 where all values lie within.
    """
    # Two numbers or two tensors, of which torch's types make two functions.
    within = images.clamp(lowest, highest)  # type: ignore[arg-type]
    return (images - within).square().mean()


def visible_difference(
    current: torch.Tensor, wanted: torch.Tensor, visible: torch.Tensor
) -> torch.Tensor:
    """Mean squared difference of images (N, C, H, W) over what is ``visible`` (N, 1, H, W).

    0 where nothing is. Ruder et al. 2016, equation 7, by the visible pixels instead of all.
    """
    difference = (current - wanted).square().mean(dim=1, keepdim=True)
    return (visible * difference).sum() / visible.sum().clamp(min=1.0)


def temporal_error(
    current: torch.Tensor, previous: torch.Tensor, flow: torch.Tensor, visible: torch.Tensor
) -> torch.Tensor:
    """Mean squared difference of images (N, 3, H, W) to their warped predecessors.

    Over what was ``visible`` (N, 1, H, W) before; ``flow`` (N, 2, H, W) is in pixels and points
    from current to previous. 0 where nothing was visible. Ruder et al. 2016, equation 6, with
    the training of Gao et al. 2018 (ReCoNet).
    """
    return visible_difference(current, warp(previous, flow), visible)


def warp(previous: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Images (N, C, H, W) looked up at the places that flow (N, 2, H, W) in pixels points to.

    Bicubic: a bilinear look-up blurs, and a loss on it would reward blurred images.
    """
    height, width = previous.shape[2:]
    ys, xs = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=flow.dtype),
        torch.arange(width, device=flow.device, dtype=flow.dtype),
        indexing="ij",
    )
    grid = torch.stack(
        (
            (xs + flow[:, 0]) * (2 / max(1, width - 1)) - 1,
            (ys + flow[:, 1]) * (2 / max(1, height - 1)) - 1,
        ),
        dim=-1,
    )
    return functional.grid_sample(
        previous, grid, mode="bicubic", padding_mode="border", align_corners=True
    )


def _mean(values: torch.Tensor) -> torch.Tensor:
    """0 of none: an image that is one pixel wide has no neighbors across."""
    return values.sum() / max(1, values.numel())


def _at_least_single(values: torch.Tensor) -> torch.Tensor:
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values
