"""The fast network is what it says, layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vidstyle.models.style.fast import FastNet, ResponseNorm, compress_range
from vidstyle.models.style.johnson import TransformerNet
from vidstyle.models.style.network import StyleNetwork, stylize

Weights = dict[str, torch.Tensor]


@pytest.fixture
def network() -> FastNet:
    made = FastNet(2)
    made.initialize(torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in made.parameters():
            # Away from the ones and zeros of the start, so that leaving them out would show.
            value.add_(torch.randn(value.shape, generator=generator), alpha=0.1)
    return made.eval()


def images(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_the_network_equals_a_plain_reference(network: FastNet) -> None:
    inputs = images(24, 32, count=2)
    torch.testing.assert_close(network(inputs), reference(network.state_dict(), inputs))


def test_response_normalization_is_the_papers() -> None:
    norm = ResponseNorm(2)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, 1.0]).reshape(1, 2, 1, 1))
        norm.bias.copy_(torch.tensor([0.5, 0.0]).reshape(1, 2, 1, 1))
        norm.threshold.copy_(torch.tensor([-9.0, 0.5]).reshape(1, 2, 1, 1))  # type: ignore[union-attr]
    # Mean squares 25/2 and 4: 3 and 4 over sqrt(12.5), doubled, plus a half; 2 / 2 and -2 / 2.
    features = torch.tensor([[[[3.0, 4.0]], [[2.0, -2.0]]]])
    wanted = torch.tensor([[[[2.197056, 2.762742]], [[1.0, 0.5]]]])
    torch.testing.assert_close(norm(features), wanted, rtol=1e-4, atol=1e-4)


def test_noise_on_a_flat_image_is_not_blown_up() -> None:
    # Instance normalization makes any noise, however small, as strong as an image.
    assert noise_gain(FastNet(4)) < 0.5 * noise_gain(TransformerNet(4))


def noise_gain(network: StyleNetwork) -> float:
    network.initialize(torch.Generator().manual_seed(0))
    flat = torch.full((1, 3, 64, 64), 0.5)
    noise = torch.randn(flat.shape, generator=torch.Generator().manual_seed(1)) / 1000
    with torch.no_grad():
        change = stylize(network.train(), flat + noise) - stylize(network, flat)
    return float(change.std() / noise.std())


def test_no_weights_leave_a_checkerboard_or_a_rim(network: FastNet) -> None:
    with torch.no_grad():
        network.output.weight.mul_(10)
        stylized = network.train()(torch.full((1, 3, 64, 64), 0.4))
    assert (stylized - stylized.mean(dim=(2, 3), keepdim=True)).abs().max() < 1e-4


def test_values_are_compress_range_in_order_and_never_flat() -> None:
    values = torch.linspace(-3, 4, 70001, dtype=torch.float64)
    found = compress_range(values)
    inside = (values >= 0.08) & (values <= 0.92)
    torch.testing.assert_close(found[inside], values[inside])
    assert (found.diff() > 0).all()
    assert found.min() > 0.025
    assert found.max() < 0.975
    # No corner at the knees.
    slopes = found.diff() / values.diff()
    assert slopes.diff().abs().max() < 0.005
    assert (compress_range(1 - values) - (1 - found)).abs().max() < 1e-12


def reference(weights: Weights, inputs: torch.Tensor) -> torch.Tensor:
    """The network written down step by step, without a module."""
    fine = layer(weights, "encode", blocks(inputs))
    coarse = layer(weights, "reduce", fine, stride=2)
    for block, apart in enumerate((1, 2, 1, 2)):
        name = f"transform.{block}.layers"
        inner = layer(weights, f"{name}.0", coarse, dilation=apart)
        coarse = coarse + layer(weights, f"{name}.1", inner)
    enlarged = convolved(doubled(doubled(smoothed(coarse)).mT).mT, weights["decode.1.weight"])
    fine = fine + response(weights, "decode.2", enlarged)
    fine = fine + layer(weights, "refine.layers.1", layer(weights, "refine.layers.0", fine))
    drawn = unblocked(convolved(fine, balanced(weights["output.weight"])))
    own = torch.einsum("oi,nihw->nohw", weights["color.weight"][:, :, 0, 0], inputs)
    offset = weights["output.bias"] + weights["color.bias"]
    return compress_range(drawn + own + offset.reshape(-1, 1, 1))


def smoothed(features: torch.Tensor) -> torch.Tensor:
    padded = functional.pad(features, (1, 1, 1, 1), mode="replicate")
    across = (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) / 4
    return (across[:, :, :-2] + 2 * across[:, :, 1:-1] + across[:, :, 2:]) / 4


def doubled(features: torch.Tensor) -> torch.Tensor:
    """Twice as wide, pixels in a line between the middles of their neighbors."""
    ends = functional.pad(features, (1, 1, 0, 0), mode="replicate")
    left = (ends[..., :-2] + 3 * ends[..., 1:-1]) / 4
    right = (3 * ends[..., 1:-1] + ends[..., 2:]) / 4
    return torch.stack([left, right], dim=-1).flatten(-2)


def balanced(weight: torch.Tensor) -> torch.Tensor:
    """Kernels of a block with equal sums for each feature, changed evenly."""
    kernels = []
    for color in weight.split(4):
        wanted = color.sum(dim=(0, 2, 3)) / 4
        for kernel in color:
            kernels.append(kernel + ((wanted - kernel.sum(dim=(1, 2))) / 9)[:, None, None])
    return torch.stack(kernels)


def layer(
    weights: Weights, name: str, features: torch.Tensor, *, stride: int = 1, dilation: int = 1
) -> torch.Tensor:
    found = convolved(features, weights[f"{name}.0.weight"], stride, dilation)
    return response(weights, f"{name}.1", found)


def convolved(
    features: torch.Tensor, kernel: torch.Tensor, stride: int = 1, dilation: int = 1
) -> torch.Tensor:
    padded = functional.pad(features, [dilation] * 4, "replicate")
    return functional.conv2d(padded, kernel, None, stride, 0, dilation)


def response(weights: Weights, name: str, features: torch.Tensor) -> torch.Tensor:
    power = (features * features).mean(dim=(2, 3), keepdim=True)
    scaled = features / (power + 1e-4).sqrt() * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    threshold = weights.get(f"{name}.threshold")
    return scaled if threshold is None else torch.where(scaled > threshold, scaled, threshold)


def blocks(images: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) as (N, 4 C, H/2, W/2): the four pixels of a block, row by row, per channel."""
    count, channels, height, width = images.shape
    split = images.reshape(count, channels, height // 2, 2, width // 2, 2)
    return split.permute(0, 1, 3, 5, 2, 4).reshape(count, 4 * channels, height // 2, width // 2)


def unblocked(features: torch.Tensor) -> torch.Tensor:
    count, channels, height, width = features.shape
    split = features.reshape(count, channels // 4, 2, 2, height, width)
    return split.permute(0, 1, 4, 2, 5, 3).reshape(count, channels // 4, 2 * height, 2 * width)
