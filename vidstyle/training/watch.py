"""Watchers of a training, one or several."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""

STYLE_IMAGE = "style_image"
"""Name of the image that is the style image itself."""


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """Where a training is."""

    iteration: int
    """Steps taken, from 1."""
    iterations: int
    """Steps in all."""
    losses: Mapping[str, float]
    """The terms of this step, before they are weighted."""
    learning_rate: float
    """Of this step."""
    seconds: float
    """That this step took."""


class Watcher(Protocol):
    """Called as a training proceeds, in order; it does not change the training."""

    def step(self, step: TrainingStep) -> None:
        """Take note of a step.

        Args:
            step: The step that was taken.
        """
        ...

    def image(self, iteration: int, name: str, image: Image) -> None:
        """Take note of what a held-out photo looks like by now, or, once, of the style image.

        Args:
            iteration: Steps taken.
            name: Of the photo, always the same; ``STYLE_IMAGE``, before the first step, for the
                style image.
            image: (H, W, 3) RGB, 8 bits.
        """
        ...

    def close(self) -> None:
        """Nothing more comes; called by who made the watcher, also after an error."""
        ...


class Watchers:
    """Several watchers as one, called in the order in which they are given; or none.

    Args:
        *watchers: Any number.
    """

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def step(self, step: TrainingStep) -> None:
        for watcher in self._watchers:
            watcher.step(step)

    def image(self, iteration: int, name: str, image: Image) -> None:
        for watcher in self._watchers:
            watcher.image(iteration, name, image)

    def close(self) -> None:
        """Close all of them, also where one raises; the first error is raised then."""
        with ExitStack() as stack:
            for watcher in reversed(self._watchers):
                stack.callback(watcher.close)
