"""The terms of the training's loss: those that optimization has too, and one of networks alone."""

from __future__ import annotations

import torch

from vidstyle.models.loss.image_losses import (
    content_loss,
    gram_matrix,
    range_penalty,
    style_loss,
    temporal_error,
    total_variation,
    warp,
)

__all__ = [
    "content_loss",
    "gram_matrix",
    "noise_gain",
    "range_penalty",
    "style_loss",
    "temporal_error",
    "total_variation",
    "warp",
]


def noise_gain(stylized: torch.Tensor, again: torch.Tensor, noise: float) -> torch.Tensor:
    """How many times the power of noise grows: two paintings of a photo, one of them with noise.

    ``noise`` is its standard deviation. 1 for a network that returns its input.
    """
    return (again - stylized).square().mean() / noise**2
