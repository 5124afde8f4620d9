"""A loss network: a trained classifier whose features describe an image's content and style."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, get_args

import torch
from torch import nn

from vidstyle.models.loss.backbone_network import (
    LayerOrder,
    build_network,
    feature_extractor,
    find_order,
    smallest_side,
)
from vidstyle.models.loss.backbone_table import (
    BACKBONES,
    BackboneName,
    LayerChoice,
    LayerError,
    Pooling,
)
from vidstyle.models.loss.backbone_weights import INPUT_FORMS, read_weights
from vidstyle.models.weights.catalog import InputForm
from vidstyle.models.weights.places import find_backbone


def load_backbone(
    name: BackboneName,
    *,
    folder: Path | None = None,
    file: Path | None = None,
    pooling: Pooling = "max",
    offline: bool = False,
) -> Backbone:
    """Load a loss network, ready for use on the CPU.

    Args:
        name: Which one.
        folder: Where its weights are looked for; without it, the folder that ``VIDSTYLE_WEIGHTS``
            names. Then follow the user's cache and, unless ``offline``, the official server. In
            each place the file that reaches deepest counts.
        file: Its weights, instead of all that.
        pooling: Of the network's windows: the ``max`` that it was trained with, or ``average``,
            which gives smoother gradients.
        offline: Download nothing.

    Returns:
        The network.

    Raises:
        ValueError: There is no such network or pooling.
        UsageError: It is one of timm's, and timm is not installed.
        WeightsError: There is no file, it cannot be fetched, or it is damaged or of another layout.

    References:
        Gatys et al. 2016, Image Style Transfer Using Convolutional Neural Networks, section 2, for
        average pooling.
    """
    # Before anything is fetched for a name or a pooling that there is not.
    _check_names(name, pooling)
    build_network(name)
    path = file or find_backbone(name, folder=folder, offline=offline)
    weights, form = read_weights(path, name)
    return Backbone(name, weights, form=form, pooling=pooling)


class Backbone(nn.Module):
    """Features of images by layer; the weights are frozen.

    It ends where its weights end: files of weights may end in the middle of the network.
    """

    def __init__(
        self,
        name: BackboneName,
        weights: Mapping[str, torch.Tensor],
        *,
        form: InputForm = "torchvision-rgb",
        pooling: Pooling = "max",
    ) -> None:
        """``load_backbone`` makes one of a file.

        Args:
            name: Which one.
            weights: By the library's own keys, without gaps up to any layer.
            form: The images that the network was trained on; ``forward`` takes RGB in [0, 1]
                whatever it is.
            pooling: As in ``load_backbone``.

        Raises:
            ValueError: There is no such network or pooling.
        """
        super().__init__()
        _check_names(name, pooling)
        self.name = name
        self.pooling = pooling
        self.network = build_network(name)
        order = find_order(self.network)
        steps = order.reach(weights)
        self.register_buffer("mean", _load(self.network, order, steps, weights, form))
        self._last = _last_steps(order, steps)
        self._extractors: dict[frozenset[str], nn.Module] = {}
        self.feature_layers = self._list_layers()
        """The layers, bottom to top. ``forward`` knows more names."""
        choice = self._default_choice()
        self.default_style_layers = choice.style
        """The published choice for a style loss, or what stands in for it within reach."""
        self.default_content_layer = choice.content
        """The same for a content loss."""
        self.default_style_scales = choice.scales
        """The image sizes at which a style loss does well by these layers."""

    def forward(self, images: torch.Tensor, layers: Iterable[str]) -> dict[str, torch.Tensor]:
        """Computes features, and nothing above the highest layer.

        Args:
            images: (N, 3, H, W) RGB in [0, 1].
            layers: Of ``feature_layers``; or the library's own names (``features.21``,
                ``layer1.0.conv2``); or VGG's convolutions (``conv4_2``).

        Returns:
            By layer, (N, C, h, w).

        Raises:
            LayerError: The weights do not reach a layer, or the images are too small for it.
            ValueError: The images have another shape.
        """
        nodes = {layer: self._node(layer) for layer in layers}
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images are (N, 3, H, W), got {tuple(images.shape)}")
        if not nodes:
            return {}
        self.check_size(images.shape[2:], nodes)
        wanted = frozenset(nodes.values())
        if wanted not in self._extractors:
            self._extractors[wanted] = feature_extractor(self.network, wanted, self.pooling)
        found = self._extractors[wanted](images - self.get_buffer("mean"))
        return {layer: found[node] for layer, node in nodes.items()}

    def smallest_side(self, layers: Iterable[str]) -> int:
        """Find the shortest side of an image that has features in all of some layers.

        Args:
            layers: Names of layers.

        Returns:
            In pixels.

        Raises:
            LayerError: The weights do not reach a layer.
        """
        nodes = frozenset(map(self._node, layers))
        return smallest_side(self.name, self.pooling, nodes)

    def check_size(self, size: Sequence[int], layers: Iterable[str]) -> None:
        """Check that images are large enough for some layers.

        Args:
            size: Height and width, in pixels.
            layers: Names of layers.

        Raises:
            LayerError: They are too small for a layer.
        """
        wanted = list(layers)
        height, width = size
        if (side := self.smallest_side(wanted)) > min(height, width):
            highest = max(wanted, key=lambda layer: self._last[self._node(layer)])
            raise LayerError(
                f"images of {width}x{height} are too small for {highest} of {self.name}: "
                f"wanted at least {side}x{side}"
            )

    def _node(self, layer: str) -> str:
        """The library's name of a layer."""
        row = BACKBONES[self.name]
        node = row.names.get(layer, layer)
        block = re.match(rf"({row.layers})(?=\.|$)", node)
        if block and node in self._last and (row.inner or block[0] == node):
            return node
        raise LayerError(
            f"{self.name} has no layer {layer}; there are {', '.join(self.feature_layers)}"
        )

    def _list_layers(self) -> tuple[str, ...]:
        row = BACKBONES[self.name]
        if row.names:
            named = (name for name in row.names if not name.startswith("conv"))
            return tuple(name for name in named if row.names[name] in self._last)
        return tuple(node for node in self._last if re.fullmatch(row.layers, node))

    def _default_choice(self) -> LayerChoice:
        """The best choice within reach; all layers where the weights end below every choice."""
        for choice in BACKBONES[self.name].choices:
            if {*choice.style, choice.content} <= set(self.feature_layers):
                return choice
        return LayerChoice(self.feature_layers, self.feature_layers[-1])

    def _apply(self, *arguments: Any, **options: Any) -> Self:
        # They hold the tensors from before a move to another device.
        self._extractors.clear()
        super()._apply(*arguments, **options)  # type: ignore[no-untyped-call]  # torch has no types
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_extractors": {}}


def _check_names(name: str, pooling: str) -> None:
    if name not in BACKBONES:
        raise ValueError(f"no backbone {name}; there are {', '.join(BACKBONES)}")
    if pooling not in get_args(Pooling):
        raise ValueError(f"no pooling {pooling}; there are {', '.join(get_args(Pooling))}")


def _load(
    network: nn.Module,
    order: LayerOrder,
    steps: int,
    weights: Mapping[str, torch.Tensor],
    form: InputForm,
) -> torch.Tensor:
    """Puts the weights in place, and None where they do not reach.

    Returns the mean (1, 3, 1, 1) of the images that the network then takes.
    """
    reached = [key for key, place in order.positions.items() if place < steps]
    state = {key: weights.get(key, _COUNTED) for key in reached}
    first = next(key for key in reached if state[key].ndim == 4)
    mean, state[first] = INPUT_FORMS[form].fold(state[first])
    network.load_state_dict(state, strict=False, assign=True)
    for module in network.modules():
        for tensors in (module._parameters, module._buffers):
            for key, value in tensors.items():
                if value is not None and value.is_meta:
                    tensors[key] = None
    network.requires_grad_(False)
    return mean


_COUNTED = torch.tensor(0)
"""Batches that a norm has seen: it counts them in training, and files need not have them."""


def _last_steps(order: LayerOrder, steps: int) -> dict[str, int]:
    """By name of a module or step, its last step, where the first ``steps`` contain all of it."""
    last: dict[str, int] = {}
    for number, step in enumerate(order.steps):
        parts = step.split(".")
        for end in range(1, len(parts) + 1):
            last[".".join(parts[:end])] = number
    return {name: number for name, number in last.items() if number < steps}


__all__ = ["Backbone", "BackboneName", "LayerError", "Pooling", "load_backbone"]
