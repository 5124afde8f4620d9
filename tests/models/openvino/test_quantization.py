"""Convolutions in 8 bits: torch with rounded values gives the same, and 8 bits are what runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from vidstyle.core import HostArray
from vidstyle.models.openvino.graph import INPUT, fix_weights, read_graph
from vidstyle.models.openvino.network import OpenVinoNetwork, sized_model
from vidstyle.models.openvino.quantization import (
    Ranges,
    eight_bits,
    measure_ranges,
    quantize,
    range_shapes,
    same_in_float32,
)
from vidstyle.models.openvino.runtime import compile_model, has_native_bfloat16, has_vnni
from vidstyle.models.style import graph_export
from vidstyle.models.style.architectures import SMALLEST_SIDE, ArchitectureName, empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.testing.textures import make_waves

needs_vnni = pytest.mark.skipif(
    not (has_vnni() and has_native_bfloat16()),
    reason="this processor has no VNNI with bfloat16",
)


def waves(seed: int, height: int = 48, width: int = 64) -> HostArray:
    down, right = np.mgrid[:height, :width].astype(np.float64)
    return make_waves(seed)(right, down)[0].astype(np.float32)


PHOTOS = [waves(seed) for seed in range(3)]
OTHER = waves(7)


class Made:
    """A network that was not trained, its graph, weights and ranges."""

    def __init__(self, architecture: ArchitectureName, width: int) -> None:
        self.network = empty_network(architecture, width).eval()
        generator = torch.Generator().manual_seed(2)
        self.network.initialize(generator)
        with torch.no_grad():
            for weight in self.network.parameters():
                if weight.shape[-1] == 1 or weight.ndim == 1:
                    weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
        self.graph = graph_export.export_graph(architecture, width)
        self.weights = {key: value.numpy() for key, value in self.network.state_dict().items()}
        self.ranges = measure_ranges(self.graph, self.weights, PHOTOS)


@pytest.fixture(scope="module")
def made() -> Made:
    return Made("fast", 16)


def by_torch(network: StyleNetwork, image: HostArray) -> HostArray:
    with torch.inference_mode():
        stylized = stylize(network, torch.from_numpy(image).permute(2, 0, 1)[None])
    return stylized[0].permute(1, 2, 0).numpy()


def by_openvino(made: Made, rounding: Callable[[Any], Any], image: HostArray) -> HostArray:
    model = read_graph(made.graph)
    quantize(model, made.weights, made.ranges, rounding)
    fix_weights(model, made.weights)
    model.reshape({INPUT: [1, 3, *image.shape[:2]]})
    request = compile_model(model, threads=1).create_infer_request()
    found = request.infer([np.ascontiguousarray(image.transpose(2, 0, 1))[None]])[0]
    return np.array(found[0].transpose(1, 2, 0))


def rounded_forward(convolution: nn.Conv2d, ranges: HostArray) -> Callable[..., torch.Tensor]:
    """What a convolution gives in 8 bits, computed on the levels as whole numbers."""
    least, largest, mean = (torch.from_numpy(one).double() for one in ranges)
    step = (largest - least).clamp(min=1e-3) / 255

    def forward(features: torch.Tensor) -> torch.Tensor:
        level = (features.double() - least.reshape(1, -1, 1, 1)) / step.reshape(1, -1, 1, 1)
        level = level.round().clamp(0, 255)
        weight = convolution.weight.double() * step.reshape(1, -1, 1, 1)
        scale = weight.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
        whole = (weight / scale).round()
        assert level.dtype == whole.dtype == torch.float64
        reach = convolution.padding[0]
        padded = functional.pad(level, (reach,) * 4, mode="replicate")
        found = functional.conv2d(
            padded, whole, stride=convolution.stride, dilation=convolution.dilation
        )
        found = found * scale.reshape(1, -1, 1, 1)
        # Exact where all channels are at their means.
        at_means = (convolution.weight.double() * mean.reshape(1, -1, 1, 1)).sum(dim=(1, 2, 3))
        levels = (mean - least) / step
        given = (whole * scale * levels.reshape(1, -1, 1, 1)).sum(dim=(1, 2, 3))
        return (found + (at_means - given).reshape(1, -1, 1, 1)).float()

    return forward


def test_it_is_the_network_with_rounded_values(made: Made) -> None:
    exact = by_torch(made.network, OTHER)
    layers = {
        f"{name}.weight": layer
        for name, layer in made.network.named_modules()
        if isinstance(layer, nn.Conv2d)
    }
    for name, ranges in made.ranges.items():
        layers[name].forward = rounded_forward(layers[name], ranges)  # type: ignore[method-assign]  # of this one
    try:
        wanted = by_torch(made.network, OTHER)
    finally:
        for name in made.ranges:
            del layers[name].forward
    found = by_openvino(made, same_in_float32, OTHER)
    difference = np.abs(wanted - exact).mean()
    assert 0.02 / 255 < difference < 2 / 255
    # A value that lies between two levels may be rounded to either.
    assert np.abs(found - wanted).mean() < 0.1 * difference


@needs_vnni
def test_bytes_are_the_same_as_their_float32(made: Made) -> None:
    exact = by_torch(made.network, OTHER)
    found, wanted = (by_openvino(made, one, OTHER) for one in (eight_bits, same_in_float32))
    assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted - exact).mean()


@needs_vnni
def test_each_convolution_with_ranges_runs_in_8_bits_and_no_other(made: Made) -> None:
    model = sized_model(made.graph, (48, 64), "int8", made.weights, made.ranges)
    compiled = compile_model(model, threads=1)
    kinds = [
        node.rt_info["runtimePrecision"].astype(str)
        for node in compiled.get_runtime_model().get_ops()
        if node.rt_info["layerType"].astype(str) == "Convolution"
    ]
    assert kinds.count("u8") == len(made.ranges) == 9
    assert set(kinds) == {"u8", "bf16"}


def opened(made: Made, threads: int = 1, ranges: Ranges | None = None) -> OpenVinoNetwork:
    return OpenVinoNetwork(
        made.graph,
        made.weights,
        precision="int8",
        threads=threads,
        smallest_side=SMALLEST_SIDE,
        ranges=made.ranges if ranges is None else ranges,
    )


@needs_vnni
@pytest.mark.parametrize("size", [(48, 64), (37, 51), (3, 40)])
def test_images_of_any_size_are_within_two_of_255(made: Made, size: tuple[int, int]) -> None:
    image = waves(7, *size)
    difference = np.abs(opened(made).run(image) - by_torch(made.network, image))
    assert 0 < difference.mean() < 2 / 255


@needs_vnni
@pytest.mark.parametrize("color", [(0, 0, 0), (1, 1, 1), (0.2, 0.7, 0.4)])
def test_a_flat_image_gets_no_pattern(made: Made, color: tuple[float, float, float]) -> None:
    stylized = opened(made).run(np.full((48, 64, 3), color, np.float32))
    assert np.ptp(stylized, axis=(0, 1)).max() < 1 / 255


@needs_vnni
def test_one_number_of_threads_gives_one_image(made: Made) -> None:
    for threads in (1, 2):
        first, *others = (opened(made, threads).run(OTHER) for _ in range(3))
        assert all(np.array_equal(first, other) for other in others)


@needs_vnni
def test_without_ranges_all_is_in_bfloat16(made: Made) -> None:
    lower = OpenVinoNetwork(
        made.graph, made.weights, precision="bfloat16", threads=1, smallest_side=SMALLEST_SIDE
    )
    assert np.array_equal(opened(made, ranges={}).run(OTHER), lower.run(OTHER))


def test_ranges_are_what_convolutions_read(made: Made) -> None:
    read: dict[str, list[HostArray]] = {name: [] for name in made.ranges}
    hooks = []
    for name, layer in made.network.named_modules():
        if (key := f"{name}.weight") in read:

            def note(_: nn.Module, given: tuple[torch.Tensor], key: str = key) -> None:
                read[key].append(given[0][0].flatten(1).numpy())

            hooks.append(layer.register_forward_pre_hook(note))
    for photo in PHOTOS:
        by_torch(made.network, photo)
    for hook in hooks:
        hook.remove()
    for name, values in made.ranges.items():
        all_values = np.concatenate(read[name], axis=1)
        wanted = np.stack([all_values.min(1), all_values.max(1), all_values.mean(1)])
        np.testing.assert_allclose(values, wanted, atol=1e-4)


def test_what_is_thin_or_early_or_pads_with_zeros_has_no_ranges(made: Made) -> None:
    shapes = range_shapes(read_graph(made.graph))
    assert {name: values.shape for name, values in made.ranges.items()} == shapes
    exact = ("encode", "reduce", "transform.0", "output", "color")
    assert not any(name.startswith(exact) for name in shapes)
    assert range_shapes(read_graph(graph_export.export_graph("johnson-tanh", 16))) == {}


def test_other_networks_have_them_too() -> None:
    johnson = Made("johnson", 16)
    assert len(johnson.ranges) > 6
    difference = np.abs(
        by_openvino(johnson, same_in_float32, OTHER) - by_torch(johnson.network, OTHER)
    )
    assert 0 < difference.mean() < 3 / 255


def test_ranges_are_measured_on_images(made: Made) -> None:
    with pytest.raises(ValueError, match="there are none"):
        measure_ranges(made.graph, made.weights, [])
