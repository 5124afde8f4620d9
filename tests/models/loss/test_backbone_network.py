"""How far weights reach, what sizes pass, and how pooling averages."""

from __future__ import annotations

import re
from functools import cache

import pytest
import torch
from torch import nn

from vidstyle.models.loss import backbone_network
from vidstyle.models.loss.backbone_network import (
    LayerOrder,
    build_network,
    feature_extractor,
    find_order,
    smallest_side,
)
from vidstyle.models.loss.backbone_table import BACKBONES, BackboneName, Pooling

network_of = cache(build_network)
"""Frozen and without weights, so that tests can share one."""
cut = cache(feature_extractor)


@cache
def order_of(name: BackboneName) -> LayerOrder:
    return find_order(network_of(name))


def test_a_network_holds_no_memory_for_weights() -> None:
    assert all(parameter.is_meta for parameter in build_network("vgg19").parameters())


@pytest.mark.parametrize("name", BACKBONES)
def test_every_row_names_layers_of_its_network(name: BackboneName) -> None:
    row, steps = BACKBONES[name], order_of(name).steps
    names = {".".join(step.split(".")[:end]) for step in steps for end in range(1, 6)}
    assert set(row.names.values()) <= names
    for choice in row.choices:
        for layer in (*choice.style, choice.content):
            node = row.names.get(layer, layer)
            assert node in names
            assert re.fullmatch(row.layers, node)


@pytest.mark.parametrize(
    ("name", "key", "last"),
    [
        ("vgg19", "features.16.bias", "features.18"),
        ("vgg16", "features.14.weight", "features.16"),
        ("vgg16", "features.28.weight", "flatten"),
        ("squeezenet", "features.0.weight", "features.2"),
        ("squeezenet", "features.4.expand3x3.bias", "features.5"),
        ("vgg19", "nothing.of.it", "features.1"),
        ("resnet", "layer1.2.bn3.weight", "layer1.2.relu_2"),
    ],
)
def test_a_network_ends_before_the_first_weights_above_reach(
    name: BackboneName, key: str, last: str
) -> None:
    order = order_of(name)
    assert order.steps[order.reach({key}) - 1] == last


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("vgg16", {"features.3"}),
        ("vgg19", {"features.1", "features.29"}),
        ("squeezenet", {"features.1"}),
        ("squeezenet", {"features.12"}),
        ("inception", {"Mixed_5b", "Mixed_6a"}),
        ("densenet", {"features.denseblock2"}),
        ("resnet", {"layer2.0"}),
        ("convnext", {"features.2"}),
        ("xception", {"block2"}),
        ("resnet-v2", {"stages.1.blocks.0"}),
    ],
)
def test_the_smallest_side_passes_and_one_pixel_less_does_not(
    monkeypatch: pytest.MonkeyPatch, name: BackboneName, layers: set[str], pooling: Pooling
) -> None:
    monkeypatch.setattr(backbone_network, "build_network", network_of)
    monkeypatch.setattr(backbone_network, "feature_extractor", cut)
    side = smallest_side(name, pooling, frozenset(layers))
    extract = cut(network_of(name), frozenset(layers), pooling)

    found = extract(torch.empty(1, 3, side, side, device="meta"))
    assert min(min(features.shape) for features in found.values()) == 1
    if side > 1:
        with pytest.raises(RuntimeError):
            extract(torch.empty(1, 3, side - 1, side - 1, device="meta"))


@pytest.mark.parametrize("name", BACKBONES)
def test_average_pooling_leaves_no_maximum(name: BackboneName) -> None:
    network = network_of(name)
    last = next(
        step for step in reversed(order_of(name).steps) if re.match(BACKBONES[name].layers, step)
    )
    extract = feature_extractor(network, [last], "average")
    assert not [
        node
        for node in extract.graph.nodes  # type: ignore[union-attr]  # it is a graph module
        if "max_pool" in str(node.target)
        or (
            node.op == "call_module"
            and isinstance(extract.get_submodule(node.target), nn.MaxPool2d)
        )
    ]


def test_average_pooling_of_squeezenet_counts_only_pixels_within() -> None:
    network = build_network("squeezenet").to_empty(device="cpu")
    for parameter in network.parameters():
        nn.init.uniform_(parameter, -0.1, 0.1, generator=torch.Generator().manual_seed(0))
    extract = feature_extractor(network, ["features.1", "features.2"], "average")
    features, found = extract(torch.rand(1, 3, 13, 17)).values()
    assert (features.shape[2:], found.shape[2:]) == ((6, 8), (3, 4))
    for row in range(3):
        for column in range(4):
            window = features[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            torch.testing.assert_close(found[:, :, row, column], window.mean((2, 3)))
