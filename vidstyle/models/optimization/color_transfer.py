"""Keeping the content's colors (Gatys et al., Preserving Color in Neural Artistic Style Transfer,
2016)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from vidstyle.imaging.luminance import match_luma, with_luma
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.optimization.options import Colors
from vidstyle.models.optimization.task import OptimizationTask

_LUMA = (0.299, 0.587, 0.114)
"""Of BT.601, as ``imaging.luminance`` has it."""
_LEAST_SPREAD = 1e-5
"""Variance that is added to a style image's colors: a gray one has none to stretch."""


def prepare_colors(task: OptimizationTask, colors: Colors) -> OptimizationTask:
    """Prepare a task for a choice of colors.

    Args:
        task: Content and style images.
        colors: The choice.

    Returns:
        The task as it is optimized.
    """
    if colors == "style":
        return task
    if colors == "content-luminance":
        luma = luma_of(task.content)
        references = (
            replace(each, image=_match_style_luma(luma_of(each.image), luma))
            for each in task.references
        )
        past = task.past and Past(luma_of(task.past.image), task.past.visible)
        start = None if task.start is None else luma_of(task.start)
        return OptimizationTask(luma, tuple(references), past, start)
    references = (
        replace(each, image=match_colors(each.image, task.content)) for each in task.references
    )
    return replace(task, references=tuple(references))


def finish_colors(stylized: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The result of an optimization as an image.

    Args:
        stylized: (1, 1 or 3, H, W); luminance alone gets the colors of the content.
        content: (1, 3, H, W).

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    stylized = stylized.detach().clamp(0, 1)
    if stylized.shape[1] == 3:
        return stylized
    source = np.ascontiguousarray(content[0].permute(1, 2, 0).cpu().numpy())
    colored = with_luma(source, np.ascontiguousarray(stylized[0, 0].cpu().numpy()))
    return torch.from_numpy(colored).permute(2, 0, 1)[None].to(content)


def luma_of(image: torch.Tensor) -> torch.Tensor:
    """Compute the luma of an image.

    Args:
        image: (1, 3, H, W) RGB in [0, 1].

    Returns:
        (1, 1, H, W) in [0, 1].
    """
    shares = torch.tensor(_LUMA, dtype=image.dtype, device=image.device)
    return (image * shares.reshape(3, 1, 1)).sum(dim=1, keepdim=True)


def match_colors(image: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Give an image the mean color and the covariance of colors of another.

    By the linear transfer that turns colors least: the root of one covariance times the inverse
    root of the other.

    Args:
        image: (1, 3, H, W) RGB in [0, 1].
        other: (1, 3, h, w) RGB in [0, 1].

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    (mean, spread), (wanted_mean, wanted_spread) = _moments(image), _moments(other)
    turn = _power(wanted_spread, 0.5) @ _power(spread, -0.5)
    flat = image.double().flatten(2)[0] - mean
    moved = (turn @ flat + wanted_mean).reshape(image.shape)
    return moved.to(image.dtype).clamp(0, 1)


def _match_style_luma(luma: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The style image's luma with the mean and deviation of the content's (section 3.2)."""
    planes = (np.ascontiguousarray(each[0, 0].cpu().numpy()) for each in (luma, content))
    return torch.from_numpy(match_luma(*planes))[None, None].to(content).clamp(0, 1)


def _moments(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (3, 1) and covariance (3, 3) of colors."""
    flat = image.double().flatten(2)[0]
    mean = flat.mean(dim=1, keepdim=True)
    spread = (flat - mean) @ (flat - mean).T / flat.shape[1]
    return mean, spread + _LEAST_SPREAD * torch.eye(3, dtype=flat.dtype, device=flat.device)


def _power(matrix: torch.Tensor, exponent: float) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: torch.Tensor = vectors @ torch.diag(values.clamp(min=1e-12) ** exponent) @ vectors.T
    return root
