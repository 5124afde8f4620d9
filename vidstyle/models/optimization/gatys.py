"""Style transfer by optimization: the image itself is what is learned (Gatys et al. 2016)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import torch
from torch.nn import functional

from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.loss_options import LossOptions
from vidstyle.models.optimization.color_transfer import finish_colors, prepare_colors
from vidstyle.models.optimization.descent import Descent, descent
from vidstyle.models.optimization.image_loss import ImageLoss
from vidstyle.models.optimization.options import Colors, DescentOptions, level_divisors
from vidstyle.models.optimization.task import (
    OptimizationTask,
    first_image,
    match_histogram,
    reduce_task,
)

Ending = Literal["steps", "converged", "stopped", "stalled"]
"""All steps were taken; the loss falls no more; the watcher asked for it; no step gains."""

_PATIENCE: Final = 20
"""Steps over which the loss has to fall."""


@dataclass(frozen=True, slots=True, eq=False)
class OptimizationStep:
    """A step that was taken."""

    step: int
    """Counted from 1, over all levels."""
    steps: int
    size: tuple[int, int]
    """Width and height in pixels of the level."""
    loss: float
    terms: Mapping[str, float]
    image: Callable[[], torch.Tensor]
    """The image so far, (1, 3, H, W) in [0, 1] at its final size; computed at the call."""


Watch: TypeAlias = Callable[[OptimizationStep], bool]
"""Called after each step; False stops the optimization with what there is."""


@dataclass(frozen=True, slots=True, eq=False)
class OptimizationResult:
    """The image that an optimization has come to."""

    image: torch.Tensor
    """(1, 3, H, W) RGB in [0, 1]."""
    steps: int
    loss: float
    terms: Mapping[str, float]
    ending: Ending


def optimize_image(
    backbone: Backbone,
    task: OptimizationTask,
    *,
    losses: LossOptions = LossOptions(),  # noqa: B008 -- it is frozen
    options: DescentOptions = DescentOptions(),  # noqa: B008 -- it is frozen
    colors: Colors = "style",
    watch: Watch | None = None,
) -> OptimizationResult:
    """Stylize an image by optimization.

    With ``levels`` the image and its style images are gone through from a fraction of their size
    up. The steps are divided evenly, and each level starts at the one before it, enlarged and with
    its histogram. Where every style image has a mask, the content is untouched outside of them.

    Args:
        backbone: On the device of the task.
        task: Content and style images.
        losses: What is compared, and how much it counts.
        options: How the loss is made small.
        colors: Those of the result.
        watch: Called after each step.

    Returns:
        The image, and how the descent ended.

    Raises:
        LayerError: The backbone does not reach a layer, or the content or a style image is too
            small for one.
        ValueError: The start is the previous frame, and there is none.
    """
    ready = prepare_colors(task, colors)
    run = _Run(task, options, watch)
    image, levels = None, level_divisors(min(ready.content.shape[2:]), options.levels)
    for number, divisor in enumerate(levels):
        part = reduce_task(ready, divisor)
        loss = ImageLoss(backbone, part.content, part.references, losses, past=part.past)
        start = first_image(part, options) if image is None else _enlarge(image, part.content)
        steps = options.steps * (number + 1) // len(levels)
        image = run.descend(descent(loss.evaluate, start, options), until=steps)
        if run.ending == "stopped":
            break
    assert image is not None  # there is one level at least
    return OptimizationResult(run.whole(image), run.step, run.loss, run.terms, run.ending)


class _Run:
    """The count of steps over all levels."""

    def __init__(
        self, task: OptimizationTask, options: DescentOptions, watch: Watch | None
    ) -> None:
        self._task, self._options, self._watch = task, options, watch
        self.step = 0
        self.loss = 0.0
        self.terms: Mapping[str, float] = {}
        self.ending: Ending = "steps"

    def descend(self, way: Descent, *, until: int) -> torch.Tensor:
        """Steps of one level; the image at its end."""
        recent: deque[float] = deque(maxlen=_PATIENCE)
        self._record(way, "steps")
        while self.step < until:
            if len(recent) == recent.maxlen and self._has_converged(recent[0]):
                self._record(way, "converged")
                break
            recent.append(way.now.loss)
            if not way.step():
                self._record(way, "stalled")
                break
            self.step += 1
            self._record(way, "steps")
            if self._watch and not self._watch(self._report(way.image)):
                self._record(way, "stopped")
                break
        return way.image

    def whole(self, image: torch.Tensor) -> torch.Tensor:
        """A level's image as the result: of the task's size, in its colors, within its masks."""
        content = self._task.content
        stylized = finish_colors(_resize(image, content), content)
        masks = [reference.mask for reference in self._task.references]
        if any(mask is None for mask in masks):
            return stylized
        whites = [_resize(mask, content) for mask in masks if mask is not None]
        return content.lerp(stylized, torch.stack(whites).amax(dim=0))

    def _report(self, image: torch.Tensor) -> OptimizationStep:
        height, width = image.shape[2:]
        return OptimizationStep(
            self.step,
            self._options.steps,
            (width, height),
            self.loss,
            self.terms,
            lambda: self.whole(image),
        )

    def _record(self, way: Descent, ending: Ending) -> None:
        self.loss, self.terms, self.ending = way.now.loss, way.now.terms, ending

    def _has_converged(self, before: float) -> bool:
        return before - self.loss < self._options.tolerance * before


def _enlarge(image: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The image of the level before, which enlarging has made soft, with its histogram."""
    return match_histogram(_resize(image, content), image)


def _resize(image: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if image.shape[2:] == like.shape[2:]:
        return image
    size = (like.shape[2], like.shape[3])
    return functional.interpolate(
        image, size, mode="bicubic", antialias=True, align_corners=False
    ).clamp(0, 1)
