"""Losses of images and features, of which the terms of an objective are made.

All are differentiable, and computed in float32 at least.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from vidstyle.models.loss.loss_options import Variation

# Pixels of a window's side, and a variance of luminance that counts as nearly flat.
_WINDOW, _FLAT = 8, 1e-3
_LUMA = (0.299, 0.587, 0.114)


def gram_matrix(features: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Gram matrices of features, divided by C·H·W.

    The product is computed in the features' own precision: in bfloat16 it is off by up to 0.4 %,
    far below what the style loss comes down to.

    Args:
        features: (N, C, H, W).
        mask: (1 or N, 1, H, W) in [0, 1], how much each position counts; the divisor is then C
            times its sum.

    Returns:
        (N, C, C), float32 at least.

    References:
        Johnson et al. 2016, equation 3; Gatys et al. 2017, equation 5 for the mask.
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
    """Compute the mean squared difference of the features' Gram matrices to a target.

    Args:
        features: (N, C, H, W).
        target: (1 or N, C, C).
        mask: As in ``gram_matrix``.

    Returns:
        A scalar, at least 0.
    """
    found = gram_matrix(features, mask)
    return functional.mse_loss(found, target.expand_as(found))


def content_loss(features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Compute the mean squared difference of two sets of features.

    Args:
        features: (N, C, H, W).
        target: Of the same shape.

    Returns:
        A scalar, at least 0.

    References:
        Johnson et al. 2016, equation 2.
    """
    return functional.mse_loss(_at_least_single(features), _at_least_single(target))


def total_variation(images: torch.Tensor, kind: Variation = "squared") -> torch.Tensor:
    """Compute the mean difference of neighboring pixels, down plus across.

    Args:
        images: (N, C, H, W).
        kind: ``squared`` smooths everything, ``absolute`` keeps edges.

    Returns:
        A scalar, at least 0.

    References:
        Rudin et al. 1992, anisotropic, for ``absolute``.
    """
    down = images[:, :, 1:] - images[:, :, :-1]
    across = images[:, :, :, 1:] - images[:, :, :, :-1]
    if kind == "squared":
        return _mean(down.square()) + _mean(across.square())
    return _mean(down.abs()) + _mean(across.abs())


def structure_loss(images: torch.Tensor, contents: torch.Tensor) -> torch.Tensor:
    """How far the light and dark of an image lie otherwise than its content's.

    1 less the correlation of luminance in windows of 8x8 pixels, at a half and at a quarter of the
    size; mean over all windows, of which those count less where the content is flat. Brightness,
    contrast and color are free, and so is what is drawn on a wall or a sky.

    Args:
        images: (N, 1 or 3, H, W).
        contents: Of the same shape, in [0, 1].

    Returns:
        A scalar, 0 to 2; 0 for the content itself, nearly so for it with another gain or offset,
        and 0 for images of one pixel across.

    References:
        Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity,
        equation 10.
    """
    drawn, wanted = _luminance(images), _luminance(contents)
    parts = []
    for _ in range(2):
        if min(drawn.shape[2:]) < 2:
            break
        drawn, wanted = functional.avg_pool2d(drawn, 2), functional.avg_pool2d(wanted, 2)
        parts.append(_uncorrelated(drawn, wanted).mean())
    return torch.stack(parts).mean() if parts else images.sum() * 0.0


def _uncorrelated(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """1 less the correlation of images (N, 1, H, W) in windows, times how much each counts."""
    window = min(_WINDOW, *drawn.shape[2:])

    def mean(values: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(values, window, max(1, window // 4))

    middles = mean(drawn), mean(wanted)
    variances = [
        (mean(image * image) - middle * middle).clamp(min=0)
        for image, middle in zip((drawn, wanted), middles, strict=True)
    ]
    common = mean(drawn * wanted) - middles[0] * middles[1]
    spread = ((variances[0] + _FLAT) * (variances[1] + _FLAT)).sqrt()
    return (1 - (common + _FLAT) / spread) * variances[1] / (variances[1] + 2 * _FLAT)


def _luminance(images: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) of images, BT.601."""
    if images.shape[1] == 1:
        return _at_least_single(images)
    parts = images.new_tensor(_LUMA).reshape(1, 3, 1, 1)
    return _at_least_single((images * parts).sum(dim=1, keepdim=True))


def range_penalty(
    images: torch.Tensor, lowest: torch.Tensor | float, highest: torch.Tensor | float
) -> torch.Tensor:
    """Compute the mean squared distance to a range of values; 0 where all lie within.

    Args:
        images: (N, C, H, W).
        lowest: A number, or (1, C, 1, 1).
        highest: likewise.

    Returns:
        A scalar, at least 0.
    """
    # Two numbers or two tensors, of which torch's types make two functions.
    within = images.clamp(lowest, highest)  # type: ignore[arg-type]
    return (images - within).square().mean()


def visible_difference(
    current: torch.Tensor, wanted: torch.Tensor, visible: torch.Tensor
) -> torch.Tensor:
    """Compute the mean squared difference of images over what is visible; 0 where nothing is.

    Args:
        current: (N, C, H, W).
        wanted: Of the same shape.
        visible: (N, 1, H, W) in [0, 1].

    Returns:
        A scalar, at least 0.

    References:
        Ruder et al. 2016, equation 7, divided by the visible pixels instead of all.
    """
    difference = (current - wanted).square().mean(dim=1, keepdim=True)
    return (visible * difference).sum() / visible.sum().clamp(min=1.0)


def temporal_error(
    current: torch.Tensor, previous: torch.Tensor, flow: torch.Tensor, visible: torch.Tensor
) -> torch.Tensor:
    """Compute the mean squared difference of images to their predecessors, warped.

    Args:
        current: (N, 3, H, W).
        previous: Of the same shape.
        flow: (N, 2, H, W) in pixels, from current to previous.
        visible: (N, 1, H, W) in [0, 1], where the previous image shows the same.

    Returns:
        A scalar, at least 0.

    References:
        Ruder et al. 2016, equation 6; Gao et al. 2018 (ReCoNet) for training.
    """
    return visible_difference(current, warp(previous, flow), visible)


def warp(previous: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Sample images where a flow points to.

    Bicubic: bilinear sampling blurs, and a loss on it would reward blurred images.

    Args:
        previous: (N, C, H, W).
        flow: (N, 2, H, W) in pixels, on the grid of the result.

    Returns:
        (N, C, H, W).
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
