"""Making a loss small, step by step: L-BFGS and Adam."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

import torch

from vidstyle.models.optimization.image_loss import LossEvaluation
from vidstyle.models.optimization.options import LBFGS_STEPS, DescentOptions

Evaluate: TypeAlias = Callable[[torch.Tensor], LossEvaluation]

_ENOUGH = 1e-4
"""Share of what the slope promises that a step must gain (Armijo; Nocedal and Wright, 3.4)."""
_SHORTEST, _LONGEST = 0.1, 0.5
"""What a step that gains too little is cut to, at least and at most."""
_MOST_CUTS = 12
_FIRST_MOVE = 0.02
"""How far the pixels move on average in the first step, before anything is known of curvature."""
_CURVED = 1e-8
"""Least curvature along a step, relative to its gradient's change, that is taken for one."""


class Descent(Protocol):
    """An image on its way down."""

    image: torch.Tensor
    """Where it is; no step writes to an image that it has given away."""
    now: LossEvaluation
    """The loss there."""

    def step(self) -> bool:
        """Move on; False where there is no way down any more."""
        ...


def descent(evaluate: Evaluate, start: torch.Tensor, options: DescentOptions) -> Descent:
    """Return the chosen optimizer, at its start.

    Args:
        evaluate: Gives the loss of an image and its gradient.
        start: The first image.
        options: Which optimizer, and its learning rate.

    Returns:
        The optimizer.
    """
    if options.optimizer == "adam":
        return Adam(evaluate, start, learning_rate=options.learning_rate)
    return Lbfgs(evaluate, start, memory=LBFGS_STEPS)


class Lbfgs:
    """Limited-memory BFGS with a line search that halves.

    The two-loop recursion over the last ``memory`` steps, each of which holds two tensors of the
    image's size. The full step nearly always gains enough, so that a step is one evaluation;
    torch's own optimizer takes two, or keeps its user out for many steps.

    Args:
        evaluate: Gives the loss of an image and its gradient.
        start: The first image.
        memory: Steps that are remembered.

    References:
        Nocedal 1980, Updating Quasi-Newton Matrices with Limited Storage.
    """

    def __init__(self, evaluate: Evaluate, start: torch.Tensor, *, memory: int) -> None:
        self._evaluate = evaluate
        self._past: deque[tuple[torch.Tensor, torch.Tensor, float]] = deque(maxlen=memory)
        self.image = start
        self.now = evaluate(start)

    def step(self) -> bool:
        if self._move():
            return True
        if not self._past:
            return False
        # What is remembered may be of another valley: begin with the gradient alone.
        self._past.clear()
        return self._move()

    def _move(self) -> bool:
        gradient = self.now.gradient
        direction = self._direction(gradient)
        slope = float((direction * gradient).sum())
        if not slope < 0:
            return False
        length = 1.0 if self._past else _FIRST_MOVE / max(float(direction.abs().mean()), 1e-30)
        for _ in range(_MOST_CUTS):
            image = torch.add(self.image, direction, alpha=length)
            then = self._evaluate(image)
            if then.loss <= self.now.loss + _ENOUGH * length * slope:
                self._remember(image - self.image, then.gradient - gradient)
                self.image, self.now = image, then
                return True
            length *= _cut(length * slope, then.loss - self.now.loss)
        return False

    def _direction(self, gradient: torch.Tensor) -> torch.Tensor:
        """Minus the gradient, times what is known of the inverse of the curvature."""
        direction = -gradient
        shares = []
        for move, change, curvature in reversed(self._past):
            share = (move * direction).sum() / curvature
            direction.add_(-share * change)
            shares.append(share)
        if self._past:
            _, change, curvature = self._past[-1]
            direction.mul_(curvature / change.square().sum())
        for (move, change, curvature), share in zip(self._past, reversed(shares), strict=True):
            direction.add_((share - (change * direction).sum() / curvature) * move)
        return direction

    def _remember(self, move: torch.Tensor, change: torch.Tensor) -> None:
        curvature = float((move * change).sum())
        # Where the loss bends the other way BFGS knows nothing to say.
        if curvature > _CURVED * float(change.square().sum()):
            self._past.append((move, change, curvature))


class Adam:
    """Adam: moves that forget the gradient's size. Each step is taken.

    Args:
        evaluate: Gives the loss of an image and its gradient.
        start: The first image.
        learning_rate: Length of a move, in units of the image's values.

    References:
        Kingma and Ba 2014, Adam: A Method for Stochastic Optimization.
    """

    def __init__(self, evaluate: Evaluate, start: torch.Tensor, *, learning_rate: float) -> None:
        self._evaluate, self._learning_rate = evaluate, learning_rate
        self._mean, self._square = torch.zeros_like(start), torch.zeros_like(start)
        self._steps = 0
        self.image = start
        self.now = evaluate(start)

    def step(self) -> bool:
        self._steps += 1
        gradient = self.now.gradient
        self._mean.lerp_(gradient, 0.1)
        self._square.lerp_(gradient.square(), 0.001)
        mean = self._mean / (1 - 0.9**self._steps)
        deviation = (self._square / (1 - 0.999**self._steps)).sqrt_().add_(1e-12)
        self.image = torch.addcdiv(self.image, mean, deviation, value=-self._learning_rate)
        self.now = self._evaluate(self.image)
        return True


def _cut(promised: float, gained: float) -> float:
    """The lowest point of the parabola through what was there, its slope and what was found."""
    # A loss that is not finite is far too far.
    if not gained < float("inf"):
        return _SHORTEST
    return min(_LONGEST, max(_SHORTEST, -promised / (2 * (gained - promised))))
