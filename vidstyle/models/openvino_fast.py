"""``fast.FastNet`` as a graph of OpenVINO; it has the equations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vidstyle.core import HostArray
from vidstyle.models.openvino_layers import (
    Layers,
    Node,
    by_channel,
    doubled,
    mean_over_picture,
    number,
)
from vidstyle.models.openvino_library import op

_DILATIONS = (1, 2, 1, 2, 1)
_EPSILON = 1e-4
_KNEE, _ROOM = 0.08, 0.055
_BINOMIAL = np.outer((0.25, 0.5, 0.25), (0.25, 0.5, 0.25)).astype(np.float32)


def fast_network(layers: Layers, arrays: Mapping[str, HostArray], pictures: Node) -> Node:
    """Painted pictures, float32; both (1, 3, H, W), sides multiples of 4."""
    network = _Network(layers, arrays)
    fine = network.layer("encode", op.space_to_depth(pictures, "depth_first", 2))
    coarse = network.layer("reduce", fine, stride=2)
    for block, dilation in enumerate(_DILATIONS):
        name = f"transform.{block}.layers"
        inner = network.layer(f"{name}.0", coarse, dilation=dilation)
        coarse = network.layer(f"{name}.1", inner, beside=coarse)
    enlarged = layers.convolution(doubled(coarse), arrays["decode.1.weight"], edge="edge")
    merged = network.normalised("decode.2", enlarged, beside=fine)
    output = layers.convolution(merged, arrays["output.weight"], edge="edge")
    biased = op.add(layers.exact(output), by_channel(arrays["output.bias"]))
    return _eased(_without_checkerboard(layers, op.depth_to_space(biased, "depth_first", 2)))


class _Network:
    def __init__(self, layers: Layers, arrays: Mapping[str, HostArray]) -> None:
        self._layers = layers
        self._arrays = arrays

    def layer(
        self,
        name: str,
        features: Node,
        *,
        stride: int = 1,
        dilation: int = 1,
        beside: Node | None = None,
    ) -> Node:
        convolved = self._layers.convolution(
            features,
            self._arrays[f"{name}.0.weight"],
            edge="edge",
            stride=stride,
            dilation=dilation,
        )
        return self.normalised(f"{name}.1", convolved, beside=beside)

    def normalised(self, name: str, features: Node, *, beside: Node | None = None) -> Node:
        """Response normalisation, computed in float32, and the sum with what is ``beside``."""
        exact = self._layers.exact(features)
        power = mean_over_picture(op.multiply(exact, exact))
        gain = op.divide(
            by_channel(self._arrays[f"{name}.weight"]), op.sqrt(op.add(power, number(_EPSILON)))
        )
        scaled = op.add(op.multiply(exact, gain), by_channel(self._arrays[f"{name}.bias"]))
        if (threshold := self._arrays.get(f"{name}.threshold")) is not None:
            scaled = op.maximum(scaled, by_channel(threshold))
        if beside is not None:
            scaled = op.add(scaled, self._layers.exact(beside))
        return self._layers.rounded(scaled)


def _without_checkerboard(layers: Layers, pictures: Node) -> Node:
    kernel = np.broadcast_to(_BINOMIAL, (3, 3, 3))
    smoothed = layers.channelwise_convolution(layers.rounded(pictures), kernel, edge="reflect")
    return layers.exact(smoothed)


def _eased(pictures: Node) -> Node:
    above = op.relu(op.subtract(pictures, number(1 - _KNEE)))
    below = op.relu(op.subtract(number(_KNEE), pictures))
    bent = op.subtract(_bent(above), _bent(below))
    middle = op.clamp(pictures, _KNEE, 1 - _KNEE)
    return op.add(middle, op.multiply(number(_ROOM), bent))


def _bent(distance: Node) -> Node:
    return op.divide(distance, op.add(distance, number(_ROOM)))
