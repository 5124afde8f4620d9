"""Ranges for 8 bits: of photos and of what is flat for the most part, and without what differs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from vidstyle.core import HostArray
from vidstyle.models.openvino.graph import INPUT, fix_weights, read_graph
from vidstyle.models.openvino.quantization import (
    Ranges,
    measure_ranges,
    quantize,
    same_in_float32,
)
from vidstyle.models.openvino.runtime import compile_model
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.eight_bits import EightBits, measure_eight_bits, vary_photo
from vidstyle.models.style.graph_export import export_graph
from vidstyle.models.style.network import StyleNetwork
from vidstyle.models.style.style_file import stored_weights
from vidstyle.testing.textures import make_waves

COMPARED = ("photo", "faint", "on black", "on white", "on its mean")


def waves(seed: int) -> HostArray:
    down, right = np.mgrid[:48, :64].astype(np.float64)
    return make_waves(seed)(right, down)[0].astype(np.float32)


PHOTOS = [waves(seed) for seed in range(3)]
OTHERS = [waves(seed) for seed in (7, 8)]


@cache
def made(gain: float) -> tuple[StyleNetwork, EightBits]:
    """A network that was not trained and multiplies by a gain near its end, measured."""
    network = empty_network("fast", 16).eval()
    network.initialize(torch.Generator().manual_seed(1))
    with torch.no_grad():
        network.refine.layers[1][1].weight.mul_(gain)  # type: ignore[index,union-attr]  # a block
    return network, measure_eight_bits(network, PHOTOS, OTHERS)


def graph_of(network: StyleNetwork) -> tuple[bytes, dict[str, HostArray]]:
    weights = {key: value.float().numpy() for key, value in stored_weights(network).items()}
    return export_graph(network.architecture, network.width), weights


def largest_mean(network: StyleNetwork, ranges: Ranges) -> float:
    """Of 8 bits by these ranges on the others, as it is stored."""
    graph, weights = graph_of(network)
    requests = []
    for used in (ranges, {}):
        model = read_graph(graph)
        quantize(model, weights, used, same_in_float32)
        fix_weights(model, weights)
        model.reshape({INPUT: [1, 3, 48, 64]})
        requests.append(compile_model(model, threads=1).create_infer_request())
    means = []
    for kind in COMPARED:
        images = [vary_photo(other)[kind].transpose(2, 0, 1)[None] for other in OTHERS]
        found = [
            [np.array(request.infer([np.ascontiguousarray(image)])[0]) for request in requests]
            for image in images
        ]
        means.append(np.mean([np.abs(one - other).mean() for one, other in found]))
    return float(max(means))


def test_a_photo_becomes_images_that_are_flat_for_the_most_part() -> None:
    photo = waves(1)
    before = photo.copy()
    varied = vary_photo(photo)
    assert np.array_equal(photo, before)
    assert varied["photo"] is photo
    assert set(varied) == {*COMPARED, "blurred"}
    assert {image.shape for image in varied.values()} == {photo.shape}
    assert {image.dtype for image in varied.values()} == {np.dtype(np.float32)}
    mean = photo.mean((0, 1))
    np.testing.assert_allclose(varied["faint"] - mean, 0.1 * (photo - mean), atol=1e-6)
    assert varied["blurred"].std() < photo.std()
    for kind, color in (("on black", 0.0), ("on white", 1.0), ("on its mean", mean)):
        flat = np.abs(varied[kind] - color).max(axis=2) < 1e-5
        assert flat[:16].all()
        assert flat[-16:].all()
        assert 0.85 < flat.mean() < 0.95


def test_ranges_have_room_for_all_of_them_and_means_are_of_photos() -> None:
    network, found = made(0.1)
    graph, weights = graph_of(network)
    photos = measure_ranges(graph, weights, PHOTOS)
    images = [image for photo in PHOTOS for image in vary_photo(photo).values()]
    wanted = measure_ranges(graph, weights, images)
    assert set(found.ranges) == set(wanted)
    for name, (least, largest, mean) in found.ranges.items():
        # Stored in float16.
        np.testing.assert_allclose(least, wanted[name][0], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(largest, wanted[name][1], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(mean, photos[name][2], rtol=1e-3, atol=1e-4)
    assert any((wanted[name][1] > 1.2 * photos[name][1]).any() for name in wanted)


@pytest.mark.parametrize("gain", [0.1, 40.0])
def test_the_error_is_that_of_the_kind_with_the_largest(gain: float) -> None:
    network, found = made(gain)
    assert found.error == pytest.approx(largest_mean(network, found.ranges), rel=1e-3)


def test_convolutions_that_differ_much_stay_in_bfloat16_but_few_of_them() -> None:
    near = made(0.1)[1]
    assert near.error is not None
    assert near.error < 1.1 / 255
    assert len(near.ranges) == 9
    network, far = made(40.0)
    assert 7 <= len(far.ranges) < 9
    graph, weights = graph_of(network)
    images = [image for photo in PHOTOS for image in vary_photo(photo).values()]
    every = measure_ranges(graph, weights, images)
    assert far.error is not None
    assert far.error < 0.8 * largest_mean(network, every)
