"""Stylizing images of any size, by networks that are particular about theirs."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from vidstyle.models.style.architectures import ArchitectureName, empty_network
from vidstyle.models.style.fast import FastNet, compress_range
from vidstyle.models.style.network import StyleNetwork, stylize


class Echo(StyleNetwork):
    """Returns what it is given, and remembers it."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen = torch.empty(0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen = images
        return images

    def initialize(self, generator: torch.Generator) -> None:
        return None


@pytest.fixture(params=get_args(ArchitectureName))
def network(request: pytest.FixtureRequest) -> StyleNetwork:
    made = empty_network(request.param, 2)
    made.initialize(torch.Generator().manual_seed(0))
    return made.eval()


def images(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (3, 40), (8, 8), (16, 16), (17, 23), (33, 18)])
def test_an_image_of_any_size_keeps_it(network: StyleNetwork, size: tuple[int, int]) -> None:
    with torch.no_grad():
        stylized = stylize(network, images(*size))
    assert stylized.shape == (1, 3, *size)
    assert stylized.isfinite().all()
    assert stylized.min() >= 0
    assert stylized.max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (16, 16), (17, 23), (40, 21)])
def test_a_result_lies_where_the_image_lay(size: tuple[int, int]) -> None:
    echo = Echo()
    inputs = images(*size)
    assert torch.equal(stylize(echo, inputs), inputs)
    assert all(side % 4 == 0 and side >= 8 for side in echo.seen.shape[2:])


def test_a_size_that_fits_is_not_padded() -> None:
    echo = Echo()
    inputs = images(20, 12)
    stylize(echo, inputs)
    assert echo.seen is inputs


def test_padding_reflects_below_and_to_the_right() -> None:
    echo = Echo()
    stylize(echo, torch.arange(243.0).reshape(1, 3, 9, 9))
    assert echo.seen.shape == (1, 3, 12, 12)
    torch.testing.assert_close(echo.seen[0, 0, 9, :9], torch.arange(63.0, 72))
    torch.testing.assert_close(echo.seen[0, 0, 0, 9:], torch.tensor([7.0, 6.0, 5.0]))


def test_padding_replicates_along_a_side_too_short_to_reflect() -> None:
    echo = Echo()
    stylize(echo, torch.arange(54.0).reshape(1, 3, 2, 9))
    assert echo.seen.shape == (1, 3, 8, 12)
    torch.testing.assert_close(echo.seen[0, 0, 7, :9], torch.arange(9.0, 18))


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 4, 16, 16), (1, 3, 0, 16)])
def test_other_shapes_are_refused(network: StyleNetwork, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images are \(N, 3, H, W\)"):
        stylize(network, torch.zeros(shape))


def test_training_mode_keeps_all_values(network: StyleNetwork) -> None:
    inputs = images(16, 16)
    with torch.no_grad():
        for name, value in network.output.named_parameters():
            if name.endswith("weight"):
                value.mul_(10)
        raw = network.train()(inputs)
        clamped = network.eval()(inputs)
    assert raw.max() > 1
    assert raw.min() < 0
    wanted = compress_range(raw) if isinstance(network, FastNet) else raw.clamp(0, 1)
    torch.testing.assert_close(clamped, wanted)


@pytest.mark.parametrize("architecture", get_args(ArchitectureName))
def test_a_width_of_zero_is_refused(architecture: str) -> None:
    with pytest.raises(ValueError, match="at least 1 channel, got 0"):
        empty_network(architecture, 0)


@pytest.mark.parametrize("architecture", get_args(ArchitectureName))
def test_one_seed_gives_one_start(architecture: str) -> None:
    networks = [empty_network(architecture, 2) for _ in range(3)]
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        network.initialize(torch.Generator().manual_seed(seed))
    first, second, other = (
        torch.cat([value.flatten() for value in network.output.parameters()])
        for network in networks
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_initial_weights_give_mid_gray(network: StyleNetwork) -> None:
    with torch.no_grad():
        stylized = network.train()(images(64, 64))
    assert stylized.mean() == pytest.approx(0.5, abs=0.25)
    assert stylized.std() < 0.6
