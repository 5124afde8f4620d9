"""Network crisp: flat images stay flat, colors go around, and no pattern of two pixels is left."""

from __future__ import annotations

import math
from typing import cast

import pytest
import torch

from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.crisp import _SHARP, _SMOOTH, CrispNet, _filter


@pytest.fixture
def network() -> CrispNet:
    made = cast("CrispNet", empty_network("crisp", 4))
    made.initialize(torch.Generator().manual_seed(0))
    return made.requires_grad_(False).eval()


@pytest.mark.parametrize("factors", [_SMOOTH, _SHARP])
def test_filters_keep_what_is_flat_and_no_pattern_of_two_pixels(factors: tuple[float, ...]) -> None:
    rows, columns = torch.meshgrid(torch.arange(12), torch.arange(16), indexing="ij")
    flat = torch.full((1, 3, 12, 16), 0.3)
    for pattern in (rows % 2, columns % 2, (rows + columns) % 2):
        found = _filter(flat + 0.2 * (2 * pattern - 1), factors, "reflect")
        assert found.allclose(flat, atol=1e-6)


@pytest.mark.parametrize("period", [3, 4, 6, 8])
def test_the_filter_of_the_output_keeps_more_detail(period: int) -> None:
    waves = torch.cos(2 * math.pi * torch.arange(48.0) / period).expand(1, 1, 16, 48)
    kept = {
        factors: float(_filter(waves, factors, "reflect")[..., 8:40].square().mean().sqrt())
        / float(waves[..., 8:40].square().mean().sqrt())
        for factors in (_SMOOTH, _SHARP)
    }
    # Closed form: a symmetric filter multiplies a wave by its own cosine sum.
    for factors, gain in kept.items():
        around = len(factors) // 2
        expected = sum(
            factor * math.cos(2 * math.pi * (place - around) / period)
            for place, factor in enumerate(factors)
        )
        assert gain == pytest.approx(expected, abs=1e-5)
    assert kept[_SMOOTH] < kept[_SHARP] <= 1.001


def test_a_flat_image_stays_flat_whatever_the_weights(network: CrispNet) -> None:
    flat = torch.tensor([0.2, 0.5, 0.7])[None, :, None, None].expand(1, 3, 64, 96)
    stylized = network(flat)
    assert float((stylized - stylized[..., :1, :1]).abs().max()) < 1e-5


def test_colors_go_around_the_layers(network: CrispNet) -> None:
    network.output.weight.zero_()
    network.output.bias.zero_()  # type: ignore[union-attr]  # it has one
    network.color.weight.copy_(torch.eye(3)[:, :, None, None])
    photo = 0.1 + 0.8 * torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    assert network(photo).allclose(photo, atol=1e-6)
    # And in training mode, too, where values are not compressed.
    assert network.train()(2 * photo).allclose(2 * photo, atol=1e-6)


def test_a_training_starts_without_the_photos_colors(network: CrispNet) -> None:
    assert not network.color.weight.any()
    assert not network.color.bias.any()  # type: ignore[union-attr]  # it has one
