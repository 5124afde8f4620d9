"""The tables of layers: how far weights reach, what sizes pass, and how pooling averages."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vidstyle.models.loss.backbone_layers import (
    BACKBONES,
    Pooling,
    empty_layers,
    reached_layers,
    smallest_side,
)


def feature_layers(layers: list[tuple[str, nn.Module]]) -> list[str]:
    return [feature_layer for feature_layer, _ in layers if feature_layer]


def test_tables_hold_no_memory_for_weights() -> None:
    modules = nn.Sequential(*(module for _, module in empty_layers("vgg19", "max")))
    assert all(parameter.is_meta for parameter in modules.parameters())


@pytest.mark.parametrize("name", list(BACKBONES))
def test_every_choice_names_layers_of_the_table(name: str) -> None:
    known = set(feature_layers(empty_layers(name, "max")))
    for choice in BACKBONES[name].choices:
        assert {*choice.style, choice.content} <= known


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no backbone vgg18; there are vgg16, vgg19, squeezenet"):
        empty_layers("vgg18", "max")
    with pytest.raises(ValueError, match="no pooling median; there are max, average"):
        empty_layers("vgg16", "median")  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize(
    ("name", "key", "last"),
    [
        ("vgg19", "features.16.bias", "relu3_4"),
        ("vgg16", "features.14.weight", "relu3_3"),
        ("vgg16", "features.28.weight", "relu5_3"),
        ("squeezenet", "features.0.weight", "relu1"),
        ("squeezenet", "features.4.expand3x3.bias", "fire3"),
        ("vgg19", "nothing.of.it", "relu1_1"),
    ],
)
def test_layers_end_before_the_first_weights_above_reach(name: str, key: str, last: str) -> None:
    assert feature_layers(reached_layers(empty_layers(name, "max"), {key}))[-1] == last


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize(
    ("name", "feature_layer"),
    [("vgg16", "relu1_2"), ("vgg19", "relu5_1"), ("squeezenet", "relu1"), ("squeezenet", "fire9")],
)
def test_the_smallest_side_passes_and_one_pixel_less_does_not(
    name: str, feature_layer: str, pooling: Pooling
) -> None:
    layers = empty_layers(name, pooling)
    layers = layers[: [each for each, _ in layers].index(feature_layer) + 1]
    network = nn.Sequential(*(module for _, module in layers))
    side = smallest_side(layers)

    assert network(torch.empty(1, 3, side, side, device="meta")).shape[2:] == (1, 1)
    if side > 1:
        with pytest.raises(RuntimeError):
            network(torch.empty(1, 3, side - 1, side - 1, device="meta"))


def test_average_pooling_of_squeezenet_counts_only_pixels_within() -> None:
    features = torch.rand(1, 2, 6, 8, generator=torch.Generator().manual_seed(0))
    pool = empty_layers("squeezenet", "average")[2][1]
    found = pool(features)
    assert found.shape == (1, 2, 3, 4)
    for row in range(3):
        for column in range(4):
            window = features[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            torch.testing.assert_close(found[:, :, row, column], window.mean((2, 3)))
