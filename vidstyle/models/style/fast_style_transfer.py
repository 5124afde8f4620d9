"""The networks of lengstrom's fast-style-transfer: recognized by their weights, and converted.

They are written in TensorFlow, which numbers what has no name: of each layer, in the order of the
computation, the kernel, then what its normalization adds, then its factors. Kernels have height,
width, inputs and outputs in this order; those of transposed convolutions have the outputs first.
They take images of 0 to 255, and give such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.johnson import RESIDUAL_BLOCKS
from vidstyle.models.style.network import StyleNetwork
from vidstyle.models.weights.torch_file import checked_array

NUMBERED_LAYOUT = "lengstrom fast-style-transfer"

_NUMBERED = re.compile(r"Variable(?:_(\d+))?")
_WIDEST = 128
# Of kernels that have lost their order, and of a torch kernel: outputs, inputs, height, width. In
# transposed ones both begin with what their convolution's counterpart gives out.
_TO_TORCH = (3, 2, 0, 1)
# Ours takes 0 to 1. The normalization after the first convolution divides by its scale, so 256
# does for 255, and is exact: weights that were float16 stay so.
_FIRST_GAIN = 256.0


def has_numbered_weights(tensors: Mapping[str, torch.Tensor]) -> bool:
    """Whether all keys are those that TensorFlow gives to what has no name.

    Args:
        tensors: Weights by key.

    Returns:
        True for ``Variable``, ``Variable_1`` and so on; False where there is none.
    """
    return bool(tensors) and all(map(_NUMBERED.fullmatch, tensors))


def numbered_keys() -> dict[str, str]:
    """Name the layout's keys.

    Returns:
        The keys of the layout, by those of ``johnson-tanh``.
    """
    found = {}
    for layer, stem in enumerate(_stems()):
        for place, part in enumerate(("0.weight", "1.bias", "1.weight")):
            number = 3 * layer + place
            found[f"{stem}.{part}"] = f"Variable_{number}" if number else "Variable"
    return found


def convert_numbered_weights(path: Path, tensors: Mapping[str, torch.Tensor]) -> StyleNetwork:
    """Build the network that numbered weights are of.

    Its results are the original's, to float32's accuracy.

    Args:
        path: The file, for messages.
        tensors: Weights by the layout's keys.

    Returns:
        The network, in eval mode; takes and gives RGB in [0, 1].

    Raises:
        WeightsError: Weights are missing or too many, of another shape or not finite; the message
            names keys.
    """
    network = empty_network("johnson-tanh", _width_of(path, tensors))
    keys, wanted = numbered_keys(), network.state_dict()
    if tensors.keys() != set(keys.values()):
        raise WeightsError(
            f"{path} looks like {NUMBERED_LAYOUT}, but has {len(tensors)} arrays; wanted"
            f" {len(keys)}, from Variable to Variable_{len(keys) - 1}"
        )
    weights = {
        ours: _in_torchs_order(path, theirs, tensors[theirs], wanted[ours].shape)
        for ours, theirs in keys.items()
    }
    weights["encode.0.0.weight"] *= _FIRST_GAIN
    network.load_state_dict(weights)
    return network.requires_grad_(False).eval()


def _stems() -> list[str]:
    """The layers of ``johnson-tanh``, in the order of the computation."""
    body = [f"transform.{b}.layers.{layer}" for b in range(RESIDUAL_BLOCKS) for layer in range(2)]
    return [*(f"encode.{at}" for at in range(3)), *body, "decode.0", "decode.1", "output"]


def _width_of(path: Path, tensors: Mapping[str, torch.Tensor]) -> int:
    first = tensors.get("Variable")
    if first is None or first.ndim != 4 or first.shape[:3] != (9, 9, 3):
        found = "is not there" if first is None else f"is {tuple(first.shape)}"
        raise WeightsError(
            f"{path} looks like {NUMBERED_LAYOUT}, but Variable {found}; wanted (9, 9, 3, channels)"
        )
    if not 1 <= first.shape[3] <= _WIDEST:
        raise WeightsError(
            f"{path} has {first.shape[3]} channels in its first layer; wanted 1 to {_WIDEST}"
        )
    return first.shape[3]


def _in_torchs_order(path: Path, key: str, value: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """A new array in float32."""
    if len(shape) != 4:
        return checked_array(path, key, value, tuple(shape)).clone()
    theirs = tuple(shape[_TO_TORCH.index(axis)] for axis in range(4))
    return checked_array(path, key, value, theirs).permute(_TO_TORCH).contiguous()
