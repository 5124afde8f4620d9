"""The transformer network does what the paper says, at every size."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vidstyle.models.style.johnson import FractionalNet, TransformerNet
from vidstyle.models.style.network import stylize

Weights = dict[str, torch.Tensor]


@pytest.fixture
def network() -> TransformerNet:
    made = TransformerNet(4)
    made.initialize(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, value in made.named_parameters():
            # Scale and shift away from 1 and 0, so that leaving them out would show.
            if value.ndim == 1:
                value.add_(torch.arange(len(value)), alpha=0.1 if "weight" in name else -0.1)
        made.output.weight *= 3
    return made.eval()


def images(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_the_network_equals_a_plain_reference(network: TransformerNet) -> None:
    inputs = images(24, 32, count=2)
    torch.testing.assert_close(network(inputs), reference(network.state_dict(), inputs))


def test_training_mode_does_not_clamp(network: TransformerNet) -> None:
    inputs = images(16, 16)
    raw = network.train()(inputs)
    assert raw.max() > 1
    assert raw.min() < 0
    torch.testing.assert_close(network.eval()(inputs), raw.clamp(0, 1))


def test_a_flat_image_gives_no_nan(network: TransformerNet) -> None:
    assert network(torch.zeros(1, 3, 16, 16)).isfinite().all()


def test_one_seed_gives_one_start() -> None:
    first, second, other = TransformerNet(2), TransformerNet(2), TransformerNet(2)
    for network, seed in ((first, 5), (second, 5), (other, 6)):
        network.initialize(torch.Generator().manual_seed(seed))
    assert torch.equal(first.output.weight, second.output.weight)
    assert not torch.equal(first.output.weight, other.output.weight)


def test_fractional_convolution_keeps_the_size() -> None:
    network = FractionalNet(2)
    network.initialize(torch.Generator().manual_seed(0))
    inputs = images(20, 12)
    assert stylize(network.eval(), inputs).shape == inputs.shape
    assert "decode.0.weight" in network.state_dict()


@pytest.mark.slow
def test_one_export_serves_every_size(network: TransformerNet) -> None:
    sides = (torch.export.Dim("height", min=2, max=999), torch.export.Dim("width", min=2, max=999))
    exported = torch.export.export(
        network, (images(16, 24),), dynamic_shapes=({2: 4 * sides[0], 3: 4 * sides[1]},)
    )
    inputs = images(32, 20)
    torch.testing.assert_close(exported.module()(inputs), network(inputs))


def reference(weights: Weights, inputs: torch.Tensor) -> torch.Tensor:
    """The network written down step by step, without a module."""
    features = layer(weights, "encode.0", inputs, stride=1)
    features = layer(weights, "encode.1", features, stride=2)
    features = layer(weights, "encode.2", features, stride=2)
    for block in range(5):
        name = f"transform.{block}.layers"
        inner = layer(weights, f"{name}.0", features, stride=1)
        features = features + normalized(weights, f"{name}.1", inner, stride=1)
    for step in (1, 3):
        larger = features.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        features = layer(weights, f"decode.{step}", larger, stride=1)
    padded = functional.pad(features, (4, 4, 4, 4), mode="reflect")
    output = functional.conv2d(padded, weights["output.weight"], weights["output.bias"])
    return output.clamp(0, 1)


def layer(weights: Weights, name: str, features: torch.Tensor, *, stride: int) -> torch.Tensor:
    return normalized(weights, name, features, stride=stride).clamp_min(0)


def normalized(weights: Weights, name: str, features: torch.Tensor, *, stride: int) -> torch.Tensor:
    kernel = weights[f"{name}.0.weight"]
    border = [kernel.shape[-1] // 2] * 4
    found = functional.conv2d(functional.pad(features, border, "reflect"), kernel, stride=stride)
    mean = found.mean(dim=(2, 3), keepdim=True)
    variance = (found - mean).square().mean(dim=(2, 3), keepdim=True)
    scale, shift = (weights[f"{name}.1.{part}"].reshape(1, -1, 1, 1) for part in ("weight", "bias"))
    return (found - mean) / (variance + 1e-5).sqrt() * scale + shift
