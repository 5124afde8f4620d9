"""Keeping the content's colors (Gatys et al., Preserving Color in Neural Artistic Style Transfer,
2016), and matching those of one image to another's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from vidstyle.imaging.luminance import match_luma, with_luma
from vidstyle.models.optimization.settings import Colors, Past, StyleReference

_LUMA = (0.299, 0.587, 0.114)
"""Of BT.601, as ``imaging.luminance`` has it."""
_LEAST_SPREAD = 1e-5
"""Variance that is added to a painting's colors: one that is gray has none to stretch."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is given to an optimization."""

    content: torch.Tensor
    """(1, 3, H, W), or (1, 1, H, W) where only luminance is painted."""
    references: tuple[StyleReference, ...]
    past: Past | None = None


def prepared(task: Task, colors: Colors) -> Task:
    """The task as it is to be optimized for a choice of colors."""
    if colors == "style_image":
        return task
    if colors == "luminance":
        luma = luma_of(task.content)
        past = task.past and _in_light(task.past)
        references = (
            replace(each, image=_as_light(luma_of(each.image), luma)) for each in task.references
        )
        return Task(luma, tuple(references), past)
    references = (
        replace(each, image=with_colors_of(each.image, task.content)) for each in task.references
    )
    return replace(task, references=tuple(references))


def finished(stylized: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The image (1, 3, H, W) of what was painted (1, 1 or 3, H, W), in [0, 1].

    Luminance alone gets the colors of the content.
    """
    stylized = stylized.detach().clamp(0, 1)
    if stylized.shape[1] == 3:
        return stylized
    source = np.ascontiguousarray(content[0].permute(1, 2, 0).cpu().numpy())
    colored = with_luma(source, np.ascontiguousarray(stylized[0, 0].cpu().numpy()))
    return torch.from_numpy(colored).permute(2, 0, 1)[None].to(content)


def luma_of(image: torch.Tensor) -> torch.Tensor:
    """(1, 1, H, W) of an image (1, 3, H, W)."""
    shares = torch.tensor(_LUMA, dtype=image.dtype, device=image.device)
    return (image * shares.reshape(3, 1, 1)).sum(dim=1, keepdim=True)


def with_colors_of(image: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The image (1, 3, H, W) with the mean color and the covariance of colors of another.

    The linear transfer that turns them least: root of one covariance times inverse root of the
    other. In [0, 1].
    """
    (mean, spread), (wanted_mean, wanted_spread) = _moments(image), _moments(other)
    turn = _power(wanted_spread, 0.5) @ _power(spread, -0.5)
    flat = image.double().flatten(2)[0] - mean
    moved = (turn @ flat + wanted_mean).reshape(image.shape)
    return moved.to(image.dtype).clamp(0, 1)


def with_values_of(image: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The image (1, C, H, W) with the histogram of another (1, C, h, w), channel by channel.

    Ranks stay; an image that was enlarged gets back the contrast that this took.
    """
    count = image[0, 0].numel()
    wanted = other.flatten(2).sort(dim=2).values
    # Where each rank lies among the other's values.
    places = torch.linspace(0, wanted.shape[2] - 1, count, device=image.device)
    below = places.floor().long()
    above = (below + 1).clamp(max=wanted.shape[2] - 1)
    values = torch.lerp(wanted[..., below], wanted[..., above], (places - below).to(wanted.dtype))
    order = image.flatten(2).argsort(dim=2, stable=True)
    return torch.empty_like(values).scatter_(2, order, values).reshape(image.shape)


def _in_light(past: Past) -> Past:
    start = None if past.start is None else luma_of(past.start)
    return Past(luma_of(past.image), past.visible, start)


def _as_light(luma: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The painting's luma with the mean and deviation of the content's (section 3.2)."""
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
