"""What an optimization is given: content, style images, the previous frame, a start."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch.nn import functional

from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.optimization.options import DescentOptions


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StyleReference:
    """A style image."""

    image: torch.Tensor
    """(1, 3, H, W) RGB in [0, 1], at the size at which its strokes are learned."""
    weight: float = 1.0
    """Relative to the other style images."""
    mask: torch.Tensor | None = None
    """Where the content takes this style: (1, 1, h, w) in [0, 1], of any size; None: everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class OptimizationTask:
    """Images on one device."""

    content: torch.Tensor
    """(1, 3, H, W) RGB in [0, 1], or (1, 1, H, W) where only luminance is stylized."""
    references: tuple[StyleReference, ...]
    past: Past | None = None
    start: torch.Tensor | None = None
    """(1, 3, H, W), the image to start at in place of the past."""


def reduce_task(task: OptimizationTask, divisor: int) -> OptimizationTask:
    """Return the task with all images so many times smaller.

    Args:
        task: Content and style images.
        divisor: At least 1.

    Returns:
        The smaller task; the task itself for 1.
    """
    if divisor == 1:
        return task
    past = task.past and Past(
        _divide(task.past.image, divisor), _divide(task.past.visible, divisor)
    )
    return OptimizationTask(
        _divide(task.content, divisor),
        tuple(replace(each, image=_divide(each.image, divisor)) for each in task.references),
        past,
        None if task.start is None else _divide(task.start, divisor),
    )


def first_image(task: OptimizationTask, options: DescentOptions) -> torch.Tensor:
    """Return the image at which the optimization of a task starts.

    Args:
        task: Content and style images.
        options: How the loss is made small.

    Returns:
        Like the content.

    Raises:
        ValueError: The start is the previous frame, and there is none.
    """
    if options.start == "content":
        return task.content
    if options.start == "noise":
        # On the processor, so that a seed means the same image on every device.
        generator = torch.Generator().manual_seed(options.seed)
        return torch.rand(task.content.shape, generator=generator).to(task.content)
    if task.start is not None:
        return task.start
    if task.past is None:
        raise ValueError("the start is the previous frame, and there is none")
    # What was occluded starts at the content, in the stylized colors: the warped stylized frame
    # itself would leave ghosts there, which the content loss is too weak to drive out.
    hidden = match_histogram(task.content, task.past.image)
    return hidden.lerp(task.past.image, task.past.visible)


def match_histogram(image: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Give an image the histogram of another, channel by channel.

    Ranks stay; an image that was enlarged gets back the contrast that this took.

    Args:
        image: (1, C, H, W).
        other: (1, C, h, w).

    Returns:
        (1, C, H, W).
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


def _divide(image: torch.Tensor, divisor: int) -> torch.Tensor:
    height, width = (max(1, round(length / divisor)) for length in image.shape[2:])
    return functional.interpolate(
        image, (height, width), mode="bilinear", antialias=True, align_corners=False
    )
