"""Building a loss network by torchvision or timm, and cutting features out of it.

Both libraries are imported when a network is built: they take seconds.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from vidstyle.core.errors import UsageError
from vidstyle.models.loss.backbone_table import BACKBONES, BackboneName, Pooling

_LARGEST_SIDE = 4096
"""Pixels; every layer of every network has an output for smaller images."""


def build_network(name: BackboneName) -> nn.Module:
    """The whole classifier, frozen, in eval mode, without memory for its weights.

    Args:
        name: Which one.

    Returns:
        The network, on torch's meta device.

    Raises:
        UsageError: It is one of timm's, and timm is not installed.
    """
    row = BACKBONES[name]
    library, _, model = row.model.partition(":")
    # Weights come later, and the libraries warn of names that they themselves have given up.
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = (
            _build_by_timm(model, name)
            if library == "timm"
            else _build_by_torchvision(model, row.arguments)
        )
    return network.eval().requires_grad_(False)


def _build_by_torchvision(model: str, arguments: Mapping[str, Any]) -> nn.Module:
    from torchvision.models import get_model  # type: ignore[import-untyped]  # has no types

    network: nn.Module = get_model(model, weights=None, **arguments)
    return network


def _build_by_timm(model: str, name: str) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise UsageError(
            f"the backbone {name} needs timm: pip install 'vidstyle[timm]', or choose another"
        ) from error
    network: nn.Module = timm.create_model(model, pretrained=False)
    return network


@dataclass(frozen=True, slots=True)
class LayerOrder:
    """The steps of a network, in the order in which they are computed."""

    steps: tuple[str, ...]
    """Their names, as ``torchvision.models.feature_extraction`` has them."""
    positions: Mapping[str, int]
    """By key of a weight, the first step that needs it."""

    def reach(self, keys: Collection[str]) -> int:
        """Count the steps, from the first on, that weights with some keys can compute.

        They count up to the deepest one, and as if none were missing below it.

        Args:
            keys: Of the weights.

        Returns:
            The number of steps.
        """
        places = set(self.positions.values())
        deepest = max(
            (place for key, place in self.positions.items() if key in keys), default=min(places)
        )
        return min((place for place in places if place > deepest), default=len(self.steps))


def find_order(network: nn.Module) -> LayerOrder:
    """Find the order of a network's steps; nothing is computed.

    Args:
        network: From ``build_network``.

    Returns:
        The order.
    """
    from torchvision.models.feature_extraction import (  # type: ignore[import-untyped]  # no types
        get_graph_node_names,
    )

    _, steps = get_graph_node_names(network, suppress_diff_warning=True)
    first: dict[str, int] = {}
    for number, step in enumerate(steps):
        parts = step.split(".")
        for end in range(1, len(parts) + 1):
            first.setdefault(".".join(parts[:end]), number)
    positions = {}
    for key in network.state_dict():
        # Some steps are modules of several modules.
        owner = key.rpartition(".")[0]
        while owner and owner not in first:
            owner = owner.rpartition(".")[0]
        if owner:
            positions[key] = first[owner]
    return LayerOrder(tuple(steps), positions)


def feature_extractor(network: nn.Module, layers: Iterable[str], pooling: Pooling) -> nn.Module:
    """Build a module that maps images to features by layer and computes nothing above them.

    Args:
        network: From ``build_network``; its modules are shared.
        layers: Names of its modules, or of ``LayerOrder.steps``.
        pooling: ``average`` replaces each maximum over a window by the mean of what lies within the
            image.

    Returns:
        The module; it maps (N, 3, H, W) to a (N, C, h, w) for each layer.
    """
    from torchvision.models.feature_extraction import create_feature_extractor

    extractor = create_feature_extractor(network, list(layers), suppress_diff_warning=True).eval()
    if pooling == "average":
        _average(extractor)
    _protect_outputs(extractor)
    extractor.recompile()
    return extractor  # type: ignore[no-any-return]  # torchvision has no types


def _average(extractor: fx.GraphModule) -> None:
    for node in list(extractor.graph.nodes):
        module = extractor.get_submodule(node.target) if node.op == "call_module" else None
        if isinstance(module, nn.MaxPool2d):
            window = {name: getattr(module, name) for name in _WINDOW}
        elif node.target is functional.max_pool2d:
            window = {name: node.kwargs[name] for name in _WINDOW if name in node.kwargs}
            window |= dict(zip(_WINDOW, node.args[1:], strict=False))
        else:
            continue
        with extractor.graph.inserting_before(node):
            mean = extractor.graph.call_function(
                functional.avg_pool2d, (node.args[0],), {**window, "count_include_pad": False}
            )
        node.replace_all_uses_with(mean)
        extractor.graph.erase_node(node)


_WINDOW = ("kernel_size", "stride", "padding", "ceil_mode")


def _protect_outputs(extractor: fx.GraphModule) -> None:
    """Copy those features that the next step would change in place."""
    output = next(node for node in extractor.graph.nodes if node.op == "output")
    for node in output.all_input_nodes:
        if any(_is_in_place(extractor, user) for user in node.users):
            with extractor.graph.inserting_after(node):
                copy = extractor.graph.call_method("clone", (node,))
            output.replace_input_with(node, copy)


def _is_in_place(extractor: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return bool(getattr(extractor.get_submodule(str(node.target)), "inplace", False))
    return bool(node.kwargs.get("inplace"))


@cache
def smallest_side(name: BackboneName, pooling: Pooling, layers: frozenset[str]) -> int:
    """Find the shortest side of a square image that has features in all of some layers.

    Args:
        name: Of the network.
        pooling: As in ``feature_extractor``.
        layers: Names of layers.

    Returns:
        In pixels.
    """
    extractor = feature_extractor(build_network(name), layers, pooling)

    def has_features(side: int) -> bool:
        # On the meta device nothing is computed, and only the network knows what is too small.
        try:
            found = extractor(torch.empty(1, 3, side, side, device="meta"))
        except RuntimeError:
            return False
        return all(0 not in features.shape for features in found.values())

    return bisect_left(range(_LARGEST_SIDE), True, lo=1, key=has_features)
