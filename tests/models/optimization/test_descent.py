"""The optimizers find minima that are known, as fast as torch's own do."""

from __future__ import annotations

import pytest
import torch

from vidstyle.models.optimization.descent import Adam, Evaluate, Lbfgs
from vidstyle.models.optimization.image_loss import LossEvaluation


class Counted:
    """A function of tensors with its gradient; counts how often it is asked."""

    def __init__(self, function: Evaluate) -> None:
        self.count, self._function = 0, function

    def __call__(self, image: torch.Tensor) -> LossEvaluation:
        self.count += 1
        return self._function(image)


def evaluated(loss: torch.Tensor, variable: torch.Tensor) -> LossEvaluation:
    (gradient,) = torch.autograd.grad(loss, variable)
    return LossEvaluation(float(loss.detach()), {}, gradient)


def rosenbrock(point: torch.Tensor) -> LossEvaluation:
    """A valley that bends, lowest at (1, 1, …)."""
    x = point.detach().requires_grad_()
    return evaluated((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(), x)


def bowl(point: torch.Tensor) -> LossEvaluation:
    """Quadratic, a thousand times as steep one way as another, lowest at 0.3."""
    x = point.detach().requires_grad_()
    steep = torch.logspace(0, 3, x.numel(), dtype=x.dtype)
    return evaluated((steep * (x - 0.3) ** 2).sum(), x)


def test_lbfgs_gets_through_rosenbrocks_valley() -> None:
    function = Counted(rosenbrock)
    descent = Lbfgs(function, torch.full((6,), -1.0, dtype=torch.float64), memory=10)
    steps = 0
    while descent.now.loss > 1e-10 and steps < 120:
        assert descent.step()
        steps += 1
    assert descent.now.loss <= 1e-10
    torch.testing.assert_close(descent.image, torch.ones_like(descent.image), atol=1e-4, rtol=0)
    assert function.count <= 1.6 * steps


def test_lbfgs_takes_no_more_evaluations_than_torchs_own() -> None:
    function, start = Counted(bowl), torch.zeros(100, dtype=torch.float64)
    descent = Lbfgs(function, start, memory=20)
    while descent.now.loss > 1e-8:
        assert descent.step()

    theirs, point = Counted(bowl), start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [point], 1.0, 1, 25, 0, 0, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        found = theirs(point)
        point.grad = found.gradient
        return found.loss

    for _ in range(500):
        if optimizer.step(closure) <= 1e-8:  # type: ignore[no-untyped-call]  # torch has no types
            break
    assert function.count <= theirs.count


def test_the_loss_never_rises_and_images_given_away_stay() -> None:
    descent = Lbfgs(rosenbrock, torch.tensor([-1.2, 1.0, 2.0]), memory=3)
    for _ in range(20):
        image, before, copy = descent.image, descent.now.loss, descent.image.clone()
        descent.step()
        assert descent.now.loss <= before
        assert torch.equal(image, copy)


@pytest.mark.parametrize("kind", ["lbfgs", "adam"])
def test_at_the_minimum_it_stays(kind: str) -> None:
    start = torch.full((8,), 0.3, dtype=torch.float64)
    descent = (
        Lbfgs(bowl, start, memory=5) if kind == "lbfgs" else Adam(bowl, start, learning_rate=1)
    )
    assert descent.step() == (kind == "adam")
    torch.testing.assert_close(descent.image, start)


def test_adam_equals_torchs() -> None:
    start = torch.linspace(-1, 1, 7, dtype=torch.float64)
    descent = Adam(bowl, start, learning_rate=0.05)
    point = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([point], 0.05, eps=1e-12)
    for _ in range(25):
        descent.step()
        point.grad = bowl(point).gradient
        optimizer.step()
    torch.testing.assert_close(descent.image, point.detach(), rtol=1e-9, atol=1e-12)


def test_a_wall_that_is_not_finite_is_walked_around() -> None:
    def walled(point: torch.Tensor) -> LossEvaluation:
        found = bowl(point)
        beyond = bool((point > 0.5).any())
        return LossEvaluation(float("nan") if beyond else found.loss, {}, found.gradient)

    descent = Lbfgs(walled, torch.full((5,), -3.0, dtype=torch.float64), memory=5)
    for _ in range(60):
        descent.step()
    assert descent.now.loss < 1e-6
