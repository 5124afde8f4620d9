"""Reading the arrays of a file of weights, and refusing what a network cannot take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.torch_file import read_content


def read_arrays(path: Path) -> Mapping[str, object]:
    """What a ``.safetensors``, or else a state dict that torch wrote, holds, by key.

    Nothing in a file is run. Values of a state dict are not looked at: ``checked_array`` does.
    Raises WeightsError where the file is missing or damaged, or no state dict.
    """
    if path.suffix == ".safetensors":
        return safetensors_file.read_tensors(path)
    content = read_content(path)
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise WeightsError(f"{path} holds a {type(content).__name__}; wanted weights by name")
    return dict(content)


def checked_array(path: Path, key: str, value: object, shape: tuple[int, ...]) -> torch.Tensor:
    """The value as float32. Raises WeightsError unless it is finite numbers of that shape."""
    if not isinstance(value, torch.Tensor) or not value.is_floating_point() or value.is_sparse:
        raise WeightsError(f"{path}: {key} is not a plain array of floating-point numbers")
    if tuple(value.shape) != shape:
        raise WeightsError(f"{path}: {key} is {tuple(value.shape)}; wanted {shape}")
    if not value.isfinite().all():
        raise WeightsError(f"{path}: {key} has values that are not finite: fetch it again")
    return value.detach().float()
