"""``johnson.TransformerNet`` and ``FractionalNet`` as graphs of OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidstyle.core import HostArray
from vidstyle.models.openvino.layers import Layers, Node, exact
from vidstyle.models.openvino.library import op

_BLOCKS = 5
_EPSILON = 1e-5
"""What torch adds to the variance."""


def johnson_network(layers: Layers, arrays: Mapping[str, HostArray], images: Any) -> Any:
    """Painted images, float32; both (1, 3, H, W), sides multiples of 4."""
    network = _Network(layers, arrays)
    features = network.encoded(images)
    for position in (1, 3):
        features = network.layer(f"decode.{position}", layers.doubled(features))
    return network.output(features)


def fractional_network(layers: Layers, arrays: Mapping[str, HostArray], images: Any) -> Any:
    """As ``johnson_network``, of the architecture that enlarges by transposed convolutions."""
    network = _Network(layers, arrays)
    features = network.encoded(images)
    for position in (0, 3):
        enlarged = layers.transposed_convolution(features, arrays[f"decode.{position}.weight"])
        features = network.normalized(f"decode.{position + 1}", enlarged)
    return network.output(features)


class _Network:
    def __init__(self, layers: Layers, arrays: Mapping[str, HostArray]) -> None:
        self._layers = layers
        self._arrays = arrays

    def encoded(self, images: Any) -> Any:
        """Features at quarter size, after the residual blocks."""
        features = images
        for position, stride in enumerate((1, 2, 2)):
            features = self.layer(f"encode.{position}", features, stride=stride)
        for block in range(_BLOCKS):
            name = f"transform.{block}.layers"
            features = self._layers.kept(features)
            inner = self.layer(f"{name}.0", features)
            outer = self.layer(f"{name}.1", inner, relu=False)
            features = self._layers.pointwise(op.add, features, outer)
        return self._layers.kept(features)

    def layer(self, name: str, features: Any, *, stride: int = 1, relu: bool = True) -> Any:
        kernel = self._arrays[f"{name}.0.weight"]
        convolved = self._layers.convolution(features, kernel, edge="reflect", stride=stride)
        return self.normalized(f"{name}.1", convolved, relu=relu)

    def normalized(self, name: str, features: Any, *, relu: bool = True) -> Any:
        """Instance normalization and a ReLU."""
        weight, bias = (self._arrays[f"{name}.{part}"] for part in ("weight", "bias"))
        scaled = self._layers.instance_normalized(features, weight, bias, _EPSILON)
        return self._layers.pointwise(op.relu, scaled) if relu else scaled

    def output(self, features: Any) -> Any:
        kernel = self._arrays["output.weight"]
        blocks = self._layers.output_convolution(features, kernel, edge="reflect")
        bias = self._layers.per_channel(self._arrays["output.bias"])
        return self._layers.pointwise(_clamped, blocks, bias)


def _clamped(images: Node, bias: Node) -> Node:
    return op.clamp(op.add(exact(images), bias), 0.0, 1.0)
