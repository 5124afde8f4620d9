"""One step of the optimizer."""

from __future__ import annotations

from typing import cast

import torch

from vidstyle.core.errors import UsageError
from vidstyle.models.loss.image_losses import warp
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.loss.objective import Objective
from vidstyle.training.checkpoint import Run
from vidstyle.training.objective import settings_of
from vidstyle.training.pairs import Pair
from vidstyle.training.photos import with_noise
from vidstyle.training.settings import TrainingSettings

_LARGEST_GRADIENT = 10.0
"""Norm to which gradients are cut: the first steps from random weights would throw the network
far away."""
_WARM_UP = 60
"""Steps over which the learning rate rises: Adam's first steps have the full length whatever the
gradients, and would undo what the base network has learned."""


def learning_rate(settings: TrainingSettings, iteration: int) -> float:
    """Up in a line over the first steps, constant, and over the last ``decay`` of the iterations
    down to 0 in a line."""
    begun = (iteration + 1) / _WARM_UP
    left = (settings.iterations - iteration) / settings.iterations
    return settings.learning_rate * min(1.0, begun, left / max(settings.decay, 1e-9))


def take_step(run: Run, objective: Objective, photos: torch.Tensor | Pair) -> dict[str, float]:
    """Take one step of the optimizer.

    Args:
        run: is changed.
        objective: what the step makes smaller.
        photos: (N, 3, H, W); or pairs, of which the later image is stylized, and compared with the
            stylized earlier one, warped.

    Returns:
        The terms of the loss before the step.

    Raises:
        UsageError: the loss is not finite.
    """
    settings = settings_of(objective)
    terms = (
        _pair_terms(run, objective, photos)
        if isinstance(photos, Pair)
        else _photo_terms(run, objective, photos)
    )
    loss = objective.total(terms)
    if not loss.isfinite():
        raise UsageError(
            f"the loss is not finite after {run.iteration} iterations: lower the learning rate"
        )
    _descend(run, settings, loss)
    return {name: float(value.detach()) for name, value in terms.items()}


def _photo_terms(run: Run, objective: Objective, photos: torch.Tensor) -> dict[str, torch.Tensor]:
    batch = photos.to(next(run.network.parameters()).device)
    stylized = _stylize(run, settings_of(objective), batch)
    return objective.terms(stylized, objective.content(batch))


def _pair_terms(run: Run, objective: Objective, pair: Pair) -> dict[str, torch.Tensor]:
    settings = settings_of(objective)
    device = next(run.network.parameters()).device
    noisy = with_noise(pair.previous, settings.noise, run.generator)
    both = torch.cat([pair.current, noisy]).to(device)
    current, previous = _stylize(run, settings, both).chunk(2)
    content = objective.content(both[: len(current)])
    past = Past(warp(previous, pair.flow.to(device)), pair.visible.to(device))
    return objective.terms(current, content, past)


def _stylize(run: Run, settings: TrainingSettings, photos: torch.Tensor) -> torch.Tensor:
    device = next(run.network.parameters()).device
    batch = photos.to(device).contiguous(memory_format=torch.channels_last)
    half = settings.precision == "bfloat16"
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        return cast("torch.Tensor", run.network(batch)).float()


def _descend(run: Run, settings: TrainingSettings, loss: torch.Tensor) -> None:
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(settings, run.iteration)
    run.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), _LARGEST_GRADIENT)
    run.optimizer.step()
    run.iteration += 1
