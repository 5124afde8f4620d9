"""What a loss network's table of layers is, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import nn

from vidstyle.models.loss.backbone_names import Pooling

__all__ = [
    "PREFIX",
    "Blueprint",
    "Choice",
    "Layer",
    "Pooling",
    "averaging",
    "layer_key",
    "other_names",
    "reached_layers",
    "smallest_side",
]

Layer: TypeAlias = tuple[str, nn.Module]
"""A layer and the name of its tap, which is empty where nobody asks for its output."""

PREFIX = "features."
"""Of the keys of a network whose layers are numbered; the number and the parameter follow."""


@dataclass(frozen=True)
class Choice:
    """Layers for a style's training."""

    style: tuple[str, ...]
    """Whose Gram matrices are compared."""
    content: str
    """Whose features are compared."""
    scales: tuple[float, ...] = (1.0,)
    """Sizes at which they are compared when an image is optimized: a half-size one stands in for
    deeper layers that the weights lack."""


@dataclass(frozen=True)
class Blueprint:
    """A loss network without its weights."""

    layers: Callable[[Pooling], list[Layer]]
    """All of its layers, bottom to top, without a classifier."""
    choices: tuple[Choice, ...]
    """Good ones, the best first; the first one that the weights reach is the default."""
    numbered: bool = True
    """Whether a file has the layers under ``features.N``; otherwise it has them under their
    taps' names, which are the network's own."""
    inner: bool = True
    """Whether layers within its layers can be asked for: all of them put channels first."""


def layer_key(number: int, feature_layer: str, *, numbered: bool) -> str:
    """Under what name a file has the parameters of a layer."""
    return f"{PREFIX}{number}" if numbered else feature_layer


def reached_layers(
    layers: Sequence[Layer], keys: Collection[str], *, numbered: bool = True
) -> list[Layer]:
    """The layers up to the deepest one that has a weight among ``keys``; at least the first."""
    weighted = [number for number, (_, module) in enumerate(layers) if module.state_dict()]
    there = [
        number
        for number in weighted
        if any(
            f"{layer_key(number, layers[number][0], numbered=numbered)}.{part}" in keys
            for part in layers[number][1].state_dict()
        )
    ]
    deepest = max(there, default=0)
    end = min((number for number in weighted if number > deepest), default=len(layers))
    return list(layers[:end])


def smallest_side(layers: Sequence[Layer]) -> int:
    """The shortest side in pixels of an image of which something comes out of the last layer."""
    side = 1
    for _, module in reversed(layers):
        # No block has two layers that shrink, one behind the other.
        side = max([side, *(_side_before(part, side) for part in module.modules())])
    return side


def other_names(layers: Sequence[Layer]) -> dict[str, int]:
    """Names beside the taps, of layers that are numbered: ``features.N``, and ``convB_N`` for the
    convolution before ``reluB_N``."""
    numbers = {f"{PREFIX}{number}": number for number in range(len(layers))}
    for number, (feature_layer, _) in enumerate(layers):
        if (
            number
            and feature_layer.startswith("relu")
            and isinstance(layers[number - 1][1], nn.Conv2d)
        ):
            numbers[feature_layer.replace("relu", "conv")] = number - 1
    return numbers


def averaging(network: nn.Module) -> nn.Module:
    """The same network, changed in place: its maximum pooling averages, within the image."""
    for name, child in network.named_children():
        if isinstance(child, nn.MaxPool2d):
            pool = nn.AvgPool2d(
                child.kernel_size,
                child.stride,
                child.padding,
                ceil_mode=child.ceil_mode,
                count_include_pad=False,
            )
            setattr(network, name, pool)
        else:
            averaging(child)
    return network


def _side_before(module: nn.Module, side: int) -> int:
    """How many pixels must go into a layer for ``side`` to come out; 0 for one that is no step."""
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        kernel, stride, padding = (
            _side(value) for value in (module.kernel_size, module.stride, module.padding)
        )
        # Windows may hang over the edge, by all but one pixel.
        if module.ceil_mode:
            return side * stride
        return (side - 1) * stride + kernel - 2 * padding
    if isinstance(module, nn.Conv2d):
        # Upright kernels are as long as flat ones, and padded alike.
        kernel, stride, padding = (
            max(_sides(value)) for value in (module.kernel_size, module.stride, module.padding)
        )
        return (side - 1) * stride + kernel - 2 * padding
    return 0


def _side(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else value[0]


def _sides(value: int | str | tuple[int, ...]) -> tuple[int, ...]:
    assert not isinstance(value, str)  # "same" and "valid" are in no network here
    return (value,) if isinstance(value, int) else value
