"""Style transfer by optimization: the image itself is what is learned (Gatys et al. 2016)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch.nn import functional

from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.optimization.color_transfer import Task, finished, prepared, with_values_of
from vidstyle.models.optimization.descent import Descent, descent
from vidstyle.models.optimization.objective import Objective
from vidstyle.models.optimization.settings import (
    Colors,
    DescentSettings,
    LossSettings,
    Past,
    StyleReference,
    level_divisors,
)
from vidstyle.models.optimization.start import start_of

Ending = Literal["steps", "settled", "stopped", "stuck"]
"""All steps were taken, the loss falls no more, the watcher wanted no more, or no step gains."""


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """A step that was taken."""

    step: int
    """Counted from 1, over all levels."""
    steps: int
    size: tuple[int, int]
    """Width and height in pixels of the level."""
    loss: float
    terms: Mapping[str, float]
    image: Callable[[], torch.Tensor]
    """The image so far, (1, 3, H, W) in [0, 1] at its final size; made when it is asked for."""


Watch: TypeAlias = Callable[[Progress], bool]
"""Told of each step; False ends the optimization with what there is."""


@dataclass(frozen=True, slots=True, eq=False)
class Stylized:
    """What came of an optimization."""

    image: torch.Tensor
    """(1, 3, H, W) RGB in [0, 1]."""
    steps: int
    loss: float
    terms: Mapping[str, float]
    ending: Ending


def stylize(
    backbone: Backbone,
    task: Task,
    *,
    losses: LossSettings = LossSettings(),  # noqa: B008 -- it is frozen
    settings: DescentSettings = DescentSettings(),  # noqa: B008 -- it is frozen
    colors: Colors = "style_image",
    watch: Watch | None = None,
) -> Stylized:
    """Paint a content image (1, 3, H, W), RGB in [0, 1], after the task's paintings.

    On the device of the content, on which the backbone lies too. With ``levels`` the image and
    its paintings are gone through from a fraction of their size up, the steps shared out
    evenly, and each level begins with the one before it, enlarged and with its histogram. Where
    every painting has a mask, the content is untouched outside of them.

    Raises ValueError for a layer that the backbone does not have, and for a content or a painting
    that is too small for one; and where the start is to be the past and there is none.
    """
    ready = prepared(task, colors)
    run = _Run(task, ready, settings, watch)
    image, levels = None, level_divisors(min(ready.content.shape[2:]), settings.levels)
    for number, factor in enumerate(levels):
        part = _reduced(ready, factor)
        objective = Objective(backbone, part.content, part.references, losses, past=part.past)
        start = start_of(part, settings) if image is None else _enlarged(image, part.content)
        steps = settings.steps * (number + 1) // len(levels)
        image = run.go(descent(objective.evaluate, start, settings), until=steps)
        if run.ending == "stopped":
            break
    assert image is not None  # there is one level at least
    return Stylized(run.whole(image), run.step, run.loss, run.terms, run.ending)


class _Run:
    """The count of steps over all levels."""

    def __init__(
        self, task: Task, ready: Task, settings: DescentSettings, watch: Watch | None
    ) -> None:
        self._task, self._ready, self._settings, self._watch = task, ready, settings, watch
        self.step = 0
        self.loss = 0.0
        self.terms: Mapping[str, float] = {}
        self.ending: Ending = "steps"

    def go(self, way: Descent, *, until: int) -> torch.Tensor:
        """Steps of one level; the image at its end."""
        recent: deque[float] = deque(maxlen=self._settings.patience)
        self._note(way, "steps")
        while self.step < until:
            if len(recent) == recent.maxlen and self._is_resolved(recent[0]):
                self._note(way, "settled")
                break
            recent.append(way.now.loss)
            if not way.step():
                self._note(way, "stuck")
                break
            self.step += 1
            self._note(way, "steps")
            if self._watch and not self._watch(self._progress(way.image)):
                self._note(way, "stopped")
                break
        return way.image

    def whole(self, image: torch.Tensor) -> torch.Tensor:
        """A level's image as the task wants it: its size, its colors, and only in its masks."""
        content = self._task.content
        stylized = finished(_resized(image, content), content)
        masks = [reference.mask for reference in self._task.references]
        if any(mask is None for mask in masks):
            return stylized
        whites = [_resized(mask, content) for mask in masks if mask is not None]
        return content.lerp(stylized, torch.stack(whites).amax(dim=0))

    def _progress(self, image: torch.Tensor) -> Progress:
        height, width = image.shape[2:]
        return Progress(
            self.step,
            self._settings.steps,
            (width, height),
            self.loss,
            self.terms,
            lambda: self.whole(image),
        )

    def _note(self, way: Descent, ending: Ending) -> None:
        self.loss, self.terms, self.ending = way.now.loss, way.now.terms, ending

    def _is_resolved(self, before: float) -> bool:
        return before - self.loss < self._settings.tolerance * before


def _reduced(task: Task, factor: int) -> Task:
    if factor == 1:
        return task
    references = (replace(each, image=_divided(each.image, factor)) for each in task.references)
    past = task.past and Past(
        _divided(task.past.image, factor),
        _divided(task.past.visible, factor),
        None if task.past.start is None else _divided(task.past.start, factor),
    )
    return Task(_divided(task.content, factor), tuple(references), past)


def _enlarged(image: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
    """The image of the level before, which enlarging has made soft, with its histogram."""
    return with_values_of(_resized(image, content), image)


def _divided(image: torch.Tensor, factor: int) -> torch.Tensor:
    height, width = (max(1, round(length / factor)) for length in image.shape[2:])
    return functional.interpolate(
        image, (height, width), mode="bilinear", antialias=True, align_corners=False
    )


def _resized(image: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if image.shape[2:] == like.shape[2:]:
        return image
    size = (like.shape[2], like.shape[3])
    return functional.interpolate(
        image, size, mode="bicubic", antialias=True, align_corners=False
    ).clamp(0, 1)


__all__ = [
    "Colors",
    "DescentSettings",
    "LossSettings",
    "Past",
    "Progress",
    "StyleReference",
    "Stylized",
    "Task",
    "Watch",
    "stylize",
]
