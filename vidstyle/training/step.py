"""One step of the optimizer."""

from __future__ import annotations

from typing import cast

import torch

from vidstyle.core.errors import UsageError
from vidstyle.training.calibration import Objective, autocast
from vidstyle.training.checkpoint import Run
from vidstyle.training.losses import temporal_error
from vidstyle.training.pairs import Pair
from vidstyle.training.photos import with_noise
from vidstyle.training.settings import Settings

_LARGEST_GRADIENT = 10.0
"""Norm to which gradients are cut: the first steps from random weights would throw the network
far away."""
_WARM_UP = 60
"""Steps over which the learning rate rises: Adam's first steps have the full length whatever the
gradients, and would undo what the base network has learned."""


def learning_rate(settings: Settings, iteration: int) -> float:
    """Up in a line over the first steps, constant, and over the last ``decay`` of the iterations
    down to 0 in a line."""
    begun = (iteration + 1) / _WARM_UP
    left = (settings.iterations - iteration) / settings.iterations
    return settings.learning_rate * min(1.0, begun, left / max(settings.decay, 1e-9))


def take_step(
    run: Run, objective: Objective, photos: torch.Tensor | Pair, usual_error: float
) -> dict[str, float]:
    """Change the run by what photos (N, 3, H, W) or pairs teach; the terms of its loss.

    With pairs, the later image is painted and judged, and its difference to the warped
    painting of the earlier one is a term. ``usual_error`` is that difference of the untouched
    images. Raises UsageError for a loss that is not finite.
    """
    settings = objective.settings
    terms = (
        _with_pairs(run, objective, photos, usual_error)
        if isinstance(photos, Pair)
        else objective.terms(_stylized(run, settings, photos), photos)
    )
    loss = objective.total(terms)
    if not loss.isfinite():
        raise UsageError(
            f"the loss is not finite after {run.iteration} iterations: lower the learning rate"
        )
    _descend(run, settings, loss)
    return {name: float(value.detach()) for name, value in terms.items()}


def noisy(pair: Pair, settings: Settings, run: Run) -> torch.Tensor:
    """The earlier images with the settings' noise."""
    return with_noise(pair.previous, settings.noise, run.generator)


def _with_pairs(
    run: Run, objective: Objective, pair: Pair, usual_error: float
) -> dict[str, torch.Tensor]:
    settings = objective.settings
    device = next(run.network.parameters()).device
    both = torch.cat([pair.current, noisy(pair, settings, run)]).to(device)
    current, previous = _stylized(run, settings, both).chunk(2)
    terms = objective.terms(current, both[: len(current)])
    error = temporal_error(current, previous, pair.flow.to(device), pair.visible.to(device))
    return {**terms, "temporal": error / usual_error}


def _stylized(run: Run, settings: Settings, photos: torch.Tensor) -> torch.Tensor:
    device = next(run.network.parameters()).device
    batch = photos.to(device).contiguous(memory_format=torch.channels_last)
    with autocast(settings, device.type):
        return cast("torch.Tensor", run.network(batch)).float()


def _descend(run: Run, settings: Settings, loss: torch.Tensor) -> None:
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(settings, run.iteration)
    run.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), _LARGEST_GRADIENT)
    run.optimizer.step()
    run.iteration += 1
