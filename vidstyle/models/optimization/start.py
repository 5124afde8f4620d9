"""What an image is when its optimization begins."""

from __future__ import annotations

import torch

from vidstyle.models.optimization.color_transfer import Task, with_values_of
from vidstyle.models.optimization.settings import DescentSettings


def start_of(task: Task, settings: DescentSettings) -> torch.Tensor:
    """An image like the task's content. Raises ValueError where it is to be the past, and there
    is none."""
    if settings.start == "content":
        return task.content
    if settings.start == "noise":
        # On the CPU, so that a seed means the same image on every device.
        generator = torch.Generator().manual_seed(settings.seed)
        return torch.rand(task.content.shape, generator=generator).to(task.content)
    if task.past is None:
        raise ValueError("the start is to be the past, and there is none")
    if task.past.start is not None:
        return task.past.start
    # What was hidden begins at the content, in the painting's colors: the warped painting itself
    # would leave ghosts there, which the content loss is too weak to drive out.
    hidden = with_values_of(task.content, task.past.image)
    return hidden.lerp(task.past.image, task.past.visible)
