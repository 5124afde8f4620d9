"""``fast.FastNet`` as a graph of OpenVINO; it has the equations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vidstyle.core import HostArray
from vidstyle.models.openvino.layers import Layers, Node, exact, number
from vidstyle.models.openvino.library import op

_DILATIONS = (1, 2, 1, 2, 1)
_EPSILON = 1e-4
_KNEE, _ROOM = 0.08, 0.055
_BINOMIAL = np.outer((0.25, 0.5, 0.25), (0.25, 0.5, 0.25)).astype(np.float32)


def fast_network(layers: Layers, arrays: Mapping[str, HostArray], images: Any) -> Any:
    """Painted images, float32; both (1, 3, H, W), sides multiples of 4."""
    network = _Network(layers, arrays)
    fine = network.layer("encode", layers.space_to_depth(images))
    coarse = layers.kept(network.layer("reduce", fine, stride=2))
    for block, dilation in enumerate(_DILATIONS):
        name = f"transform.{block}.layers"
        inner = network.layer(f"{name}.0", coarse, dilation=dilation)
        coarse = layers.kept(network.layer(f"{name}.1", inner, beside=coarse))
    enlarged = layers.convolution(layers.doubled(coarse), arrays["decode.1.weight"], edge="edge")
    merged = network.normalized("decode.2", enlarged, beside=fine)
    blocks = layers.convolution(merged, arrays["output.weight"], edge="edge")
    biased = layers.pointwise(_biased, blocks, layers.per_channel(arrays["output.bias"]))
    return _without_checkerboard(layers, layers.depth_to_space(biased))


class _Network:
    def __init__(self, layers: Layers, arrays: Mapping[str, HostArray]) -> None:
        self._layers = layers
        self._arrays = arrays

    def layer(
        self,
        name: str,
        features: Any,
        *,
        stride: int = 1,
        dilation: int = 1,
        beside: Any = None,
    ) -> Any:
        convolved = self._layers.convolution(
            features,
            self._arrays[f"{name}.0.weight"],
            edge="edge",
            stride=stride,
            dilation=dilation,
        )
        return self.normalized(f"{name}.1", convolved, beside=beside)

    def normalized(self, name: str, features: Any, *, beside: Any = None) -> Any:
        """Response normalization, computed in float32, and the sum with what is ``beside``."""
        layers = self._layers
        weight, bias = (self._arrays[f"{name}.{part}"] for part in ("weight", "bias"))
        scaled = layers.response_normalized(features, weight, bias, _EPSILON)
        if (threshold := self._arrays.get(f"{name}.threshold")) is not None:
            scaled = layers.pointwise(op.maximum, scaled, layers.per_channel(threshold))
        if beside is not None:
            scaled = layers.pointwise(_added, scaled, beside)
        return layers.pointwise(layers.rounded, scaled)


def _added(scaled: Node, beside: Node) -> Node:
    return op.add(scaled, exact(beside))


def _biased(features: Node, bias: Node) -> Node:
    return op.add(exact(features), bias)


def _without_checkerboard(layers: Layers, images: Any) -> Any:
    kernel = np.broadcast_to(_BINOMIAL, (3, 3, 3))
    images = layers.kept(layers.pointwise(layers.rounded, images))
    smoothed = layers.channelwise_convolution(images, kernel, edge="reflect")
    return layers.pointwise(_eased, smoothed)


def _eased(images: Node) -> Node:
    images = exact(images)
    above = op.relu(op.subtract(images, number(1 - _KNEE)))
    below = op.relu(op.subtract(number(_KNEE), images))
    bent = op.subtract(_bent(above), _bent(below))
    middle = op.clamp(images, _KNEE, 1 - _KNEE)
    return op.add(middle, op.multiply(number(_ROOM), bent))


def _bent(distance: Node) -> Node:
    return op.divide(distance, op.add(distance, number(_ROOM)))
