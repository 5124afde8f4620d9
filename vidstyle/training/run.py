"""A training between its steps: its state, one step, and the checkpoint on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from vidstyle.core.errors import UsageError, WeightsError
from vidstyle.models.loss.image_losses import warp
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.loss.objective import Objective
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import StyleNetwork
from vidstyle.models.style.style_file import load_style
from vidstyle.models.weights import safetensors_file
from vidstyle.training.objective import settings_of
from vidstyle.training.pairs import Pair
from vidstyle.training.photos import add_noise
from vidstyle.training.settings import TrainingSettings

_FORMAT = "1"
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(repr=False)
class TrainingRun:
    """All that changes during a training."""

    network: StyleNetwork
    optimizer: torch.optim.Adam
    generator: np.random.Generator
    """Of the crops and the noise."""
    iteration: int = 0
    """Steps taken."""


def new_run(settings: TrainingSettings, device: str = "cpu") -> TrainingRun:
    """Return the start of a training; the same settings give the same one.

    Args:
        settings: Of the training.
        device: As torch names it.

    Returns:
        The run, before its first step.

    Raises:
        UsageError: The settings want a base network that does not ship.
    """
    # Convolutions in bfloat16 are about twice as fast in this layout.
    network = start_network(settings).to(memory_format=torch.channels_last).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    return TrainingRun(network.train(), optimizer, np.random.default_rng(settings.seed))


def start_network(settings: TrainingSettings) -> StyleNetwork:
    """Build the network with the weights at which a training starts.

    Args:
        settings: Of the training.

    Returns:
        The network, on the CPU.

    Raises:
        UsageError: The settings want a base network that does not ship, or weights of another
            network.
        WeightsError: There is no such style.
    """
    network = empty_network(settings.architecture, settings.width)
    if settings.initial_weights == "random":
        network.initialize(torch.Generator().manual_seed(settings.seed))
        return network
    path = settings.initial_weights_file()
    if path is None:
        raise UsageError(
            f"there is no base network for {settings.architecture} with {settings.width} "
            "channels: use --initial-weights random, with two or three times the iterations"
        )
    style = load_style(path)
    if (style.info.architecture, style.info.width) != (settings.architecture, settings.width):
        raise UsageError(
            f"{path} has the network {style.info.architecture} with {style.info.width} channels;"
            f" this training has {settings.architecture} with {settings.width}"
        )
    network.load_state_dict(style.module.state_dict())
    return network


def save_checkpoint(path: Path, run: TrainingRun, made_of: Mapping[str, str]) -> None:
    """Write a run that has taken at least one step, whole or not at all.

    Args:
        path: The checkpoint.
        run: The training as it stands.
        made_of: What the training depends on, by name.

    Raises:
        OutputError: The folder cannot be written.
    """
    tensors = {f"weight.{name}": value for name, value in run.network.state_dict().items()}
    for name, parameter in run.network.named_parameters():
        for moment in _MOMENTS:
            tensors[f"{moment}.{name}"] = run.optimizer.state[parameter][moment]
    metadata = {
        "vidstyle.checkpoint": _FORMAT,
        "iteration": str(run.iteration),
        "generator": json.dumps(run.generator.bit_generator.state),
        "made_of": json.dumps(dict(made_of)),
    }
    safetensors_file.write(path, tensors, metadata)


def load_checkpoint(
    path: Path, settings: TrainingSettings, made_of: Mapping[str, str], device: str = "cpu"
) -> TrainingRun:
    """Load a run as it was saved: what follows equals an uninterrupted training, bit for bit.

    Args:
        path: The checkpoint.
        settings: Of the training to resume.
        made_of: What that training depends on, by name.
        device: As torch names it.

    Returns:
        The run.

    Raises:
        WeightsError: The file is damaged.
        UsageError: It belongs to a training with other settings or images.
    """
    metadata = safetensors_file.read_metadata(path)
    if metadata.get("vidstyle.checkpoint") != _FORMAT:
        raise WeightsError(f"{path} is not a checkpoint of this version: train without --resume")
    try:
        saved = json.loads(metadata["made_of"])
        iteration, state = int(metadata["iteration"]), json.loads(metadata["generator"])
    except (KeyError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is damaged ({error}): train without --resume") from error
    if differing := sorted(key for key in made_of if saved.get(key) != made_of[key]):
        raise UsageError(
            f"{path} belongs to a training with other {', '.join(differing)}: "
            "train without --resume, or give what it was started with"
        )
    run = new_run(settings, device)
    run.iteration = iteration
    run.generator.bit_generator.state = state
    _fill(path, run)
    return run


def _fill(path: Path, run: TrainingRun) -> None:
    tensors = safetensors_file.read_tensors(path)
    names = [name for name, _ in run.network.named_parameters()]
    wanted = {f"{part}.{name}": None for part in ("weight", *_MOMENTS) for name in names}
    safetensors_file.check_keys(path, tensors, wanted)
    run.network.load_state_dict({name: tensors[f"weight.{name}"] for name in names})
    state = {
        index: {
            "step": torch.tensor(float(run.iteration)),
            **{moment: tensors[f"{moment}.{name}"] for moment in _MOMENTS},
        }
        for index, name in enumerate(names)
    }
    groups = run.optimizer.state_dict()["param_groups"]
    run.optimizer.load_state_dict({"state": state, "param_groups": groups})


_LARGEST_GRADIENT = 10.0
"""Norm to which gradients are cut: the first steps from random weights would throw the network
far away."""
_WARM_UP = 60
"""Steps over which the learning rate rises: Adam's first steps have the full length whatever the
gradients, and would undo what the base network has learned."""


def learning_rate(settings: TrainingSettings, iteration: int) -> float:
    """Compute the learning rate of a step.

    It rises in a line over the first steps, is constant, and falls in a line to 0 over the last
    ``decay`` of the iterations.

    Args:
        settings: Of the training.
        iteration: Steps already taken.

    Returns:
        The rate for Adam.
    """
    begun = (iteration + 1) / _WARM_UP
    left = (settings.iterations - iteration) / settings.iterations
    return settings.learning_rate * min(1.0, begun, left / max(settings.decay, 1e-9))


def take_step(
    run: TrainingRun, objective: Objective, photos: torch.Tensor | Pair
) -> dict[str, float]:
    """Take one step of the optimizer.

    Args:
        run: Is changed.
        objective: What the step makes smaller.
        photos: (N, 3, H, W); or pairs, of which the later image is stylized, and compared with the
            stylized earlier one, warped.

    Returns:
        The terms of the loss before the step.

    Raises:
        UsageError: The loss is not finite.
    """
    settings = settings_of(objective)
    objective = _ramped(objective, settings, run.iteration)
    terms = (
        _pair_terms(run, objective, photos)
        if isinstance(photos, Pair)
        else _photo_terms(run, objective, photos)
    )
    loss = _toward_target(objective, settings, terms).total(terms)
    if not loss.isfinite():
        raise UsageError(
            f"the loss is not finite after {run.iteration} iterations: lower the learning rate"
        )
    _descend(run, settings, loss)
    return {name: float(value.detach()) for name, value in terms.items()}


def _ramped(objective: Objective, settings: TrainingSettings, iteration: int) -> Objective:
    """With the weights that the terms which hold to the photo have at a step."""
    share = min(1.0, (iteration + 1) / max(1e-9, settings.ramp * settings.iterations))
    names = ("content_weight", "structure_weight", "temporal_weight")
    weights = {name: share * getattr(settings, name) for name in names}
    return replace(objective, options=settings.model_copy(update=weights))


def _toward_target(
    objective: Objective, settings: TrainingSettings, terms: Mapping[str, torch.Tensor]
) -> Objective:
    """With the weight that a step's content loss has: styles of strong contrast would lose the
    photo by a weight that others hardly need."""
    if settings.content_target == 0 or "content" not in terms:
        return objective
    options = objective.options
    growth = (float(terms["content"].detach()) / settings.content_target) ** 2
    update = {"content_weight": growth * options.content_weight}
    return replace(objective, options=options.model_copy(update=update))


def _photo_terms(
    run: TrainingRun, objective: Objective, photos: torch.Tensor
) -> dict[str, torch.Tensor]:
    batch = photos.to(next(run.network.parameters()).device)
    stylized = _stylize(run, settings_of(objective), batch)
    return objective.terms(stylized, objective.content(batch))


def _pair_terms(run: TrainingRun, objective: Objective, pair: Pair) -> dict[str, torch.Tensor]:
    settings = settings_of(objective)
    device = next(run.network.parameters()).device
    noisy = add_noise(pair.previous, settings.noise, run.generator)
    both = torch.cat([pair.current, noisy]).to(device)
    current, previous = _stylize(run, settings, both).chunk(2)
    content = objective.content(both[: len(current)])
    past = Past(warp(previous, pair.flow.to(device)), pair.visible.to(device))
    return objective.terms(current, content, past)


def _stylize(run: TrainingRun, settings: TrainingSettings, photos: torch.Tensor) -> torch.Tensor:
    device = next(run.network.parameters()).device
    batch = photos.to(device).contiguous(memory_format=torch.channels_last)
    half = settings.precision == "bfloat16"
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        return cast("torch.Tensor", run.network(batch)).float()


def _descend(run: TrainingRun, settings: TrainingSettings, loss: torch.Tensor) -> None:
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(settings, run.iteration)
    run.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), _LARGEST_GRADIENT)
    run.optimizer.step()
    run.iteration += 1
