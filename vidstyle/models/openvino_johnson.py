"""``johnson.TransformerNet`` and ``FractionalNet`` as graphs of OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping

from vidstyle.core import HostArray
from vidstyle.models.openvino_layers import Layers, Node, by_channel, doubled, standardised
from vidstyle.models.openvino_library import op

_BLOCKS = 5
_EPSILON = 1e-5
"""What torch adds to the variance."""


def johnson_network(layers: Layers, arrays: Mapping[str, HostArray], pictures: Node) -> Node:
    """Painted pictures, float32; both (1, 3, H, W), sides multiples of 4."""
    network = _Network(layers, arrays)
    features = network.encoded(pictures)
    for position in (1, 3):
        features = network.layer(f"decode.{position}", doubled(features))
    return network.output(features)


def fractional_network(layers: Layers, arrays: Mapping[str, HostArray], pictures: Node) -> Node:
    """As ``johnson_network``, of the architecture that enlarges by transposed convolutions."""
    network = _Network(layers, arrays)
    features = network.encoded(pictures)
    for position in (0, 3):
        enlarged = layers.transposed_convolution(features, arrays[f"decode.{position}.weight"])
        features = network.normalised(f"decode.{position + 1}", enlarged)
    return network.output(features)


class _Network:
    def __init__(self, layers: Layers, arrays: Mapping[str, HostArray]) -> None:
        self._layers = layers
        self._arrays = arrays

    def encoded(self, pictures: Node) -> Node:
        """Features at quarter size, after the residual blocks."""
        features = pictures
        for position, stride in enumerate((1, 2, 2)):
            features = self.layer(f"encode.{position}", features, stride=stride)
        for block in range(_BLOCKS):
            name = f"transform.{block}.layers"
            inner = self.layer(f"{name}.0", features)
            features = op.add(features, self.layer(f"{name}.1", inner, relu=False))
        return features

    def layer(self, name: str, features: Node, *, stride: int = 1, relu: bool = True) -> Node:
        kernel = self._arrays[f"{name}.0.weight"]
        convolved = self._layers.convolution(features, kernel, edge="reflect", stride=stride)
        return self.normalised(f"{name}.1", convolved, relu=relu)

    def normalised(self, name: str, features: Node, *, relu: bool = True) -> Node:
        """Instance normalisation and a ReLU, which the plugin computes as one."""
        scale, shift = (
            self._layers.constant(self._arrays[f"{name}.{part}"].reshape(1, -1, 1, 1))
            for part in ("weight", "bias")
        )
        scaled = op.add(op.multiply(standardised(features, _EPSILON), scale), shift)
        return op.relu(scaled) if relu else scaled

    def output(self, features: Node) -> Node:
        kernel = self._arrays["output.weight"]
        blocks = self._layers.output_convolution(features, kernel, edge="reflect")
        biased = op.add(self._layers.exact(blocks), by_channel(self._arrays["output.bias"]))
        return op.clamp(biased, 0.0, 1.0)
