"""The networks of pytorch/examples fast_neural_style: recognized by their weights, and converted.

They are the network of Johnson et al. (2016) with instance normalization, and take and give
images of 0 to 255. Their weights were saved in three ways over the years: first from a
normalization written by hand, with ``scale`` and ``shift``, for images in BGR (2017); then
with running statistics that nothing used (torch before 0.4); then as they are today.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.style.architectures import ArchitectureName, empty_network
from vidstyle.models.style.johnson import RESIDUAL_BLOCKS
from vidstyle.models.style.network import StyleNetwork

LAYOUT = "pytorch/examples fast_neural_style"
Channels = Literal["rgb", "bgr"]
"""The order in which a network takes and gives them."""

# Ours takes 0 to 1. The normalization after the first convolution divides by its scale, so
# 256 does for 255, and is exact: weights that were float16 stay so, while rounding those times
# 255 would cost up to 0.3 of 255 in the result. What differs is how ε weighs, by 0.8 %.
_FIRST_GAIN = 256.0
_LAST_GAIN = 1.0 / 255.0
_WIDEST = 128
_FIRST, _LAST = "conv1.conv2d", "deconv3.conv2d"
_NORMALIZATION = re.compile(r"(?:res\d\.)?in\d\.(\w+)")
_FIRST_NAMES = {"scale": "weight", "shift": "bias"}
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Recognized:
    """Weights of this layout, and the network that they are of."""

    tensors: Mapping[str, torch.Tensor]
    """By the layout's keys of today."""
    keys: Mapping[str, str]
    """The layout's keys, by those of our network."""
    architecture: ArchitectureName
    width: int
    channels: Channels
    ignored: tuple[str, ...]
    """What was passed over or assumed, in words for people."""

    def __str__(self) -> str:
        how = "resize" if self.architecture == "johnson" else "fractionally strided"
        order = "" if self.channels == "rgb" else ", BGR images"
        return f"{LAYOUT}, {self.width} channels, {how} convolution{order}"


def recognize(
    path: Path, tensors: Mapping[str, torch.Tensor], channels: Channels | None = None
) -> Recognized:
    """Recognize the network that weights are of, by their keys and shapes.

    Args:
        path: The file, for messages.
        tensors: Weights by key.
        channels: Order of the images' channels; None for that of the layout's vintage.

    Returns:
        Architecture, width and weights.

    Raises:
        WeightsError: The weights are of another layout; the message names keys or shapes.
    """
    by_hand = any(_part(key) in _FIRST_NAMES for key in tensors)
    known = {
        _named_as_today(key): value
        for key, value in tensors.items()
        if _part(key) not in _STATISTICS
    }
    width = _width(path, known)
    transposed = _transposed(known, width)
    architecture: ArchitectureName = "johnson" if transposed is None else "johnson-fractional"
    keys = _keys(architecture, transposed)
    _check_keys(path, known, keys.values())
    return Recognized(
        tensors=known,
        keys=keys,
        architecture=architecture,
        width=width,
        channels=channels or ("bgr" if by_hand else "rgb"),
        ignored=_ignored(tensors, transposed),
    )


def convert_weights(path: Path, found: Recognized) -> StyleNetwork:
    """Build the network with recognized weights.

    Its results are the original's, to float32's accuracy. Biases before a normalization are left
    out, since it subtracts them again (a constant stays one when reflected). The original in its
    first form added 1e-9 to the variance and not 1e-5, which moves a result by less than 0.01 of
    255.

    Args:
        path: The file, for messages.
        found: From ``recognize``.

    Returns:
        The network, in eval mode; takes and gives RGB in [0, 1].

    Raises:
        WeightsError: A weight is of another shape, or not finite; the message names its key.
    """
    network = empty_network(found.architecture, found.width)
    weights = {
        key: _checked(path, theirs, found.tensors[theirs], network.state_dict()[key].shape)
        for key, theirs in found.keys.items()
    }
    weights["encode.0.0.weight"] *= _FIRST_GAIN
    for key in ("output.weight", "output.bias"):
        weights[key] *= _LAST_GAIN
    if found.channels == "bgr":
        weights |= {key: weights[key].flip(0) for key in ("output.weight", "output.bias")}
        weights["encode.0.0.weight"] = weights["encode.0.0.weight"].flip(1)
    network.load_state_dict({key: value.float() for key, value in weights.items()})
    return network.requires_grad_(False).eval()


def _part(key: str) -> str | None:
    """What a key is of a normalization: ``weight``, ``running_mean``."""
    match = _NORMALIZATION.fullmatch(key)
    return match[1] if match else None


def _named_as_today(key: str) -> str:
    stem, _, part = key.rpartition(".")
    return f"{stem}.{_FIRST_NAMES[part]}" if _part(key) in _FIRST_NAMES else key


def _width(path: Path, tensors: Mapping[str, torch.Tensor]) -> int:
    first = tensors.get(f"{_FIRST}.weight")
    if first is None:
        begin = ", ".join(f"{key} {tuple(value.shape)}" for key, value in [*tensors.items()][:3])
        raise WeightsError(
            f"{path} is of no layout that is known: it begins with {begin or 'nothing'}; "
            f"known is {LAYOUT}, with {_FIRST}.weight, in1.weight and so on"
        )
    if first.ndim != 4 or first.shape[1:] != (3, 9, 9) or not 1 <= len(first) <= _WIDEST:
        raise WeightsError(
            f"{path} looks like {LAYOUT}, but {_FIRST}.weight is {tuple(first.shape)}; "
            f"wanted (channels, 3, 9, 9), and 1 to {_WIDEST} channels"
        )
    return len(first)


def _transposed(tensors: Mapping[str, torch.Tensor], width: int) -> str | None:
    """What follows ``deconv1`` in the keys of a transposed convolution, where it is one."""
    for key, value in tensors.items():
        match = re.fullmatch(r"deconv1((?:\.\w+)?)\.weight", key)
        # Its inputs come first.
        if match and value.shape[:2] == (4 * width, 2 * width):
            return match[1]
    return None


def _keys(architecture: ArchitectureName, transposed: str | None) -> dict[str, str]:
    """The layout's keys, by those of our network."""
    stems = {"output": _LAST}
    for layer in range(3):
        stems |= {f"encode.{layer}.0": f"conv{layer + 1}.conv2d"}
        stems |= {f"encode.{layer}.1": f"in{layer + 1}"}
    for block, layer in product(range(RESIDUAL_BLOCKS), range(2)):
        ours, theirs = f"transform.{block}.layers.{layer}", f"res{block + 1}"
        stems |= {f"{ours}.0": f"{theirs}.conv{layer + 1}.conv2d"}
        stems |= {f"{ours}.1": f"{theirs}.in{layer + 1}"}
    for layer in range(2):
        theirs = f"deconv{layer + 1}{'.conv2d' if transposed is None else transposed}"
        places = (f"{2 * layer + 1}.0", f"{2 * layer + 1}.1")
        if transposed is not None:
            places = (f"{3 * layer}", f"{3 * layer + 1}")
        stems |= {f"decode.{places[0]}": theirs, f"decode.{places[1]}": f"in{layer + 4}"}
    ours_all = (key.rpartition(".") for key in empty_network(architecture, 1).state_dict())
    return {f"{stem}.{part}": f"{stems[stem]}.{part}" for stem, _, part in ours_all}


def _check_keys(path: Path, found: Mapping[str, torch.Tensor], wanted: Iterable[str]) -> None:
    wanted = set(wanted)
    # Biases before a normalization may be there.
    allowed = wanted | {f"{key.removesuffix('.weight')}.bias" for key in wanted}
    complaints = [
        f"{word} {', '.join(keys[:3])}{' and others' if len(keys) > 3 else ''}"
        for word, keys in (
            ("lacks", sorted(wanted - found.keys())),
            ("has unknown", sorted(found.keys() - allowed)),
        )
        if keys
    ]
    if complaints:
        raise WeightsError(f"{path} looks like {LAYOUT}, but {' and '.join(complaints)}")


def _checked(path: Path, key: str, value: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """In float64, and not the tensor that was given."""
    if value.shape != shape:
        raise WeightsError(f"{path}: {key} is {tuple(value.shape)}; wanted {tuple(shape)}")
    if value.dtype not in _DTYPES:
        raise WeightsError(f"{path}: {key} is {value.dtype}; wanted float16, 32 or 64")
    if not value.isfinite().all():
        raise WeightsError(f"{path}: {key} has values that are not finite: fetch it again")
    return value.detach().to(torch.float64, copy=True)


def _ignored(keys: Iterable[str], transposed: str | None) -> tuple[str, ...]:
    parts, ignored = {_part(key) for key in keys}, []
    if "num_batches_tracked" in parts:
        ignored.append(
            "running statistics of the training's images: each image is normalized by its"
            " own, so results of eval mode may look different"
        )
    elif not parts.isdisjoint(_STATISTICS):
        ignored.append("running statistics of old instance normalization: not used")
    if transposed is not None:
        ignored.append("weights do not state how they enlarge: stride 2 and padding 1 are assumed")
    return tuple(ignored)
