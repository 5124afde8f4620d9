"""The state of a training, and its form on disk: safetensors and JSON, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vidstyle.core.errors import UsageError, WeightsError
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import StyleNetwork
from vidstyle.models.style.style_file import load_style
from vidstyle.models.style.styles import base_network
from vidstyle.models.weights import safetensors_file
from vidstyle.training.settings import TrainingSettings

_FORMAT = "1"
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(repr=False)
class Run:
    """All that changes during a training."""

    network: StyleNetwork
    optimizer: torch.optim.Adam
    generator: np.random.Generator
    """Of the crops and the noise."""
    iteration: int = 0
    """Steps taken."""


def new_run(settings: TrainingSettings, device: str = "cpu") -> Run:
    """The start of a training; the same settings give the same one."""
    # Convolutions in bfloat16 are about twice as fast in this layout.
    network = start_network(settings).to(memory_format=torch.channels_last).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    return Run(network.train(), optimizer, np.random.default_rng(settings.seed))


def start_network(settings: TrainingSettings) -> StyleNetwork:
    """The network with the weights at which a training starts.

    Raises UsageError where the settings want a base network that does not ship.
    """
    network = empty_network(settings.architecture, settings.width)
    if settings.initial_weights == "random":
        network.initialize(torch.Generator().manual_seed(settings.seed))
        return network
    if not (path := base_network(settings.architecture, settings.width)).is_file():
        raise UsageError(
            f"there is no base network for {settings.architecture} with {settings.width} "
            "channels: use --initial-weights random, with two or three times the iterations"
        )
    network.load_state_dict(load_style(path).module.state_dict())
    return network


def save_checkpoint(path: Path, run: Run, made_of: Mapping[str, str]) -> None:
    """Write a run that has taken at least one step, whole or not at all.

    ``made_of`` says what the training depends on. Raises OutputError.
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
) -> Run:
    """The run as it was saved: what follows equals an uninterrupted training, bit for bit.

    Raises WeightsError where the file is damaged, and UsageError where it belongs to a
    training with other settings or images.
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


def _fill(path: Path, run: Run) -> None:
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
