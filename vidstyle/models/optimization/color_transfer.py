"""Keeping the content's colours (Gatys et al., Preserving Color in Neural Artistic Style Transfer,
2016), and matching those of one picture to another's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from vidstyle.imaging.luminance import matched, with_luma
from vidstyle.models.optimization.settings import Colours, Past, StyleReference

_LUMA = (0.299, 0.587, 0.114)
"""Of BT.601, as ``imaging.luminance`` has it."""
_LEAST_SPREAD = 1e-5
"""Variance that is added to a painting's colours: one that is grey has none to stretch."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is given to an optimisation."""

    content: torch.Tensor
    """(1, 3, H, W), or (1, 1, H, W) where only luminance is painted."""
    references: tuple[StyleReference, ...]
    past: Past | None = None


def prepared(task: Task, colours: Colours) -> Task:
    """The task as it is to be optimised for a choice of colours."""
    if colours == "painting":
        return task
    if colours == "luminance":
        luma = luma_of(task.content)
        past = task.past and _in_light(task.past)
        references = (
            replace(each, picture=_as_light(luma_of(each.picture), luma))
            for each in task.references
        )
        return Task(luma, tuple(references), past)
    references = (
        replace(each, picture=with_colours_of(each.picture, task.content))
        for each in task.references
    )
    return replace(task, references=tuple(references))


def finished(painted: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The picture (1, 3, H, W) of what was painted (1, 1 or 3, H, W), in [0, 1].

    Luminance alone gets the colours of the content.
    """
    painted = painted.detach().clamp(0, 1)
    if painted.shape[1] == 3:
        return painted
    source = np.ascontiguousarray(content[0].permute(1, 2, 0).cpu().numpy())
    coloured = with_luma(source, np.ascontiguousarray(painted[0, 0].cpu().numpy()))
    return torch.from_numpy(coloured).permute(2, 0, 1)[None].to(content)


def luma_of(picture: torch.Tensor) -> torch.Tensor:
    """(1, 1, H, W) of a picture (1, 3, H, W)."""
    shares = torch.tensor(_LUMA, dtype=picture.dtype, device=picture.device)
    return (picture * shares.reshape(3, 1, 1)).sum(dim=1, keepdim=True)


def with_colours_of(picture: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The picture (1, 3, H, W) with the mean colour and the covariance of colours of another.

    The linear transfer that turns them least: root of one covariance times inverse root of the
    other. In [0, 1].
    """
    (mean, spread), (wanted_mean, wanted_spread) = _moments(picture), _moments(other)
    turn = _power(wanted_spread, 0.5) @ _power(spread, -0.5)
    flat = picture.double().flatten(2)[0] - mean
    moved = (turn @ flat + wanted_mean).reshape(picture.shape)
    return moved.to(picture.dtype).clamp(0, 1)


def with_values_of(picture: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The picture (1, C, H, W) with the histogram of another (1, C, h, w), channel by channel.

    Ranks stay; a picture that was enlarged gets back the contrast that this took.
    """
    count = picture[0, 0].numel()
    wanted = other.flatten(2).sort(dim=2).values
    # Where each rank lies among the other's values.
    places = torch.linspace(0, wanted.shape[2] - 1, count, device=picture.device)
    below = places.floor().long()
    above = (below + 1).clamp(max=wanted.shape[2] - 1)
    values = torch.lerp(wanted[..., below], wanted[..., above], (places - below).to(wanted.dtype))
    order = picture.flatten(2).argsort(dim=2, stable=True)
    return torch.empty_like(values).scatter_(2, order, values).reshape(picture.shape)


def _in_light(past: Past) -> Past:
    start = None if past.start is None else luma_of(past.start)
    return Past(luma_of(past.picture), past.visible, start)


def _as_light(luma: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The painting's luma with the mean and deviation of the content's (section 3.2)."""
    planes = (np.ascontiguousarray(each[0, 0].cpu().numpy()) for each in (luma, content))
    return torch.from_numpy(matched(*planes))[None, None].to(content).clamp(0, 1)


def _moments(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (3, 1) and covariance (3, 3) of colours."""
    flat = picture.double().flatten(2)[0]
    mean = flat.mean(dim=1, keepdim=True)
    spread = (flat - mean) @ (flat - mean).T / flat.shape[1]
    return mean, spread + _LEAST_SPREAD * torch.eye(3, dtype=flat.dtype, device=flat.device)


def _power(matrix: torch.Tensor, exponent: float) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: torch.Tensor = vectors @ torch.diag(values.clamp(min=1e-12) ** exponent) @ vectors.T
    return root
