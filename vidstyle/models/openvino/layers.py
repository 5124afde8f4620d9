"""What networks of styles are built of, as nodes of an OpenVINO graph.

Images and features are (1, C, H, W). A graph states the precision of each node, and the plugin is
told to keep it: convolutions and what lies between them are in the precision of the network,
statistics over a whole image in float32, whatever the network's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.library import op, ov

Node: TypeAlias = Any
"""Of a graph; the package has no types."""
Edge = Literal["edge", "reflect"]
"""What lies beyond an image: its last pixels again, or those before them."""

_OVER_IMAGE = np.array([2, 3])


class Layers(Protocol):
    """What a network is described by: ``ImageLayers`` or ``openvino_strips.StripLayers``."""

    def rounded(self, node: Node) -> Node:
        """In the network's precision."""
        ...

    def per_channel(self, values: HostArray) -> Any:
        """A float32 value for each channel, for ``pointwise``."""
        ...

    def pointwise(self, function: Callable[..., Node], *features: Any) -> Any:
        """What the function makes of the nodes of features of one size, pixel by pixel."""
        ...

    def kept(self, features: Any) -> Any:
        """The same, for what is used again or beyond whose edge something is read."""
        ...

    def convolution(
        self, features: Any, kernel: HostArray, *, edge: Edge, stride: int = 1, dilation: int = 1
    ) -> Any:
        """Keeps the size, or divides it by the stride. ``kernel`` is (C out, C in, k, k), k odd."""
        ...

    def output_convolution(self, features: Any, kernel: HostArray, *, edge: Edge) -> Any:
        """As ``convolution``, for a handful of channels: (1, C, H, W) of even H and W.

        Processors compute channels by the dozen, so that three take as long as twelve. Here the
        four pixels of a block are channels of one.
        """
        ...

    def transposed_convolution(self, features: Any, kernel: HostArray) -> Any:
        """Doubles the size; ``kernel`` (C in, C out, 3, 3), zeros beyond the edge."""
        ...

    def channelwise_convolution(self, features: Any, kernel: HostArray, *, edge: Edge) -> Any:
        """Each of C channels by its own kernel of (C, k, k), k odd."""
        ...

    def doubled(self, features: Any) -> Any:
        """Each pixel repeated to 2x2.

        Together with the convolution after it this could be one transposed convolution, a tenth
        faster in all. But then neighboring pixels have sums of the same weights that are each
        rounded by themselves, and a normalization makes a pattern of that in flat images.
        """
        ...

    def space_to_depth(self, features: Any) -> Any:
        """Blocks of 2x2 pixels as channels of one."""
        ...

    def depth_to_space(self, features: Any) -> Any:
        """The inverse of ``space_to_depth``."""
        ...

    def instance_normalized(
        self, features: Any, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Any:
        """(x - mean) / sqrt(variance + epsilon) · weight + bias, over the whole image."""
        ...

    def response_normalized(
        self, features: Any, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Any:
        """x / sqrt(mean(x²) + epsilon) · weight + bias, over the whole image; in float32."""
        ...


class ImageLayers:
    """``Layers`` whose features are nodes of one graph for whole images."""

    def __init__(self, precision: Precision) -> None:
        self._type = ov.Type.bf16 if precision == "bfloat16" else ov.Type.f32

    def rounded(self, node: Node) -> Node:
        return op.convert(node, self._type)

    def constant(self, values: HostArray) -> Node:
        """An array in the network's precision."""
        return op.constant(_bfloat16(values) if self._type == ov.Type.bf16 else values)

    def nearest(self, values: HostArray) -> HostArray:
        """What ``constant`` makes of values, in float32."""
        return _nearest(values) if self._type == ov.Type.bf16 else values

    def per_channel(self, values: HostArray) -> Node:
        return by_channel(values)

    def pointwise(self, function: Callable[..., Node], *features: Node) -> Node:
        return function(*features)

    def kept(self, features: Node) -> Node:
        return features

    def convolution(
        self, features: Node, kernel: HostArray, *, edge: Edge, stride: int = 1, dilation: int = 1
    ) -> Node:
        around = dilation * (kernel.shape[2] // 2)
        return self.valid_convolution(padded(features, around, edge), kernel, stride, dilation)

    def output_convolution(self, features: Node, kernel: HostArray, *, edge: Edge) -> Node:
        return self.valid_output_convolution(padded(features, kernel.shape[2] // 2, edge), kernel)

    def transposed_convolution(self, features: Node, kernel: HostArray) -> Node:
        return self.enlarging_convolution(features, kernel, top=1, bottom=0)

    def channelwise_convolution(self, features: Node, kernel: HostArray, *, edge: Edge) -> Node:
        around = kernel.shape[2] // 2
        return self.valid_channelwise_convolution(padded(features, around, edge), kernel)

    def doubled(self, features: Node) -> Node:
        return doubled(features)

    def space_to_depth(self, features: Node) -> Node:
        return op.space_to_depth(features, "depth_first", 2)

    def depth_to_space(self, features: Node) -> Node:
        return op.depth_to_space(features, "depth_first", 2)

    def instance_normalized(
        self, features: Node, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Node:
        # The plugin computes it as one, with the ReLU that may follow.
        scale, shift = (self.constant(part.reshape(1, -1, 1, 1)) for part in (weight, bias))
        standardized = op.mvn(features, _OVER_IMAGE, True, epsilon, "inside_sqrt")
        return op.add(op.multiply(standardized, scale), shift)

    def response_normalized(
        self, features: Node, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Node:
        values = exact(features)
        power = op.reduce_mean(op.multiply(values, values), _OVER_IMAGE, True)
        gain = op.divide(by_channel(weight), op.sqrt(op.add(power, number(epsilon))))
        return op.add(op.multiply(values, gain), by_channel(bias))

    def valid_convolution(
        self, features: Node, kernel: HostArray, stride: int, dilation: int
    ) -> Node:
        """Only where the kernel lies within the features, as those below."""
        return op.convolution(
            features, self.constant(kernel), [stride] * 2, [0, 0], [0, 0], [dilation] * 2
        )

    def valid_output_convolution(self, features: Node, kernel: HostArray) -> Node:
        blocks = self.valid_convolution(features, _for_blocks(kernel), 2, 1)
        return op.depth_to_space(blocks, "depth_first", 2)

    def valid_channelwise_convolution(self, features: Node, kernel: HostArray) -> Node:
        grouped = self.constant(kernel[:, None, None])
        return op.group_convolution(features, grouped, [1, 1], [0, 0], [0, 0], [1, 1])

    def enlarging_convolution(
        self, features: Node, kernel: HostArray, *, top: int, bottom: int
    ) -> Node:
        """Transposed, by strides of 2: of the 2 · H + 1 rows that it makes all but the first
        ``top`` and the last ``bottom``; of the columns all but the first."""
        return op.convolution_backprop_data(
            features, self.constant(kernel), [2, 2], pads_begin=[top, 1], pads_end=[bottom, 0]
        )


def exact(node: Node) -> Node:
    """In float32."""
    return op.convert(node, ov.Type.f32)


def padded(features: Node, around: int, edge: Edge) -> Node:
    """With so many more pixels on each side."""
    return padded_rows(features, (around, around), around, edge)


def padded_rows(features: Node, rows: tuple[int, int], across: int, edge: Edge) -> Node:
    """With so many more rows above and below, or fewer where negative, and pixels at the sides."""
    before, after = np.array([0, 0, rows[0], across]), np.array([0, 0, rows[1], across])
    return op.pad(features, before, after, edge)


def by_channel(values: HostArray) -> Node:
    """A float32 value for each channel, to be used on (1, C, H, W)."""
    return op.constant(np.ascontiguousarray(values, np.float32).reshape(1, -1, 1, 1))


def number(value: float) -> Node:
    """One float32 for all."""
    return op.constant(np.float32(value))


def doubled(features: Node) -> Node:
    """Each pixel repeated to 2x2."""
    return op.interpolate(
        features,
        np.array([2, 2], np.float32),
        "nearest",
        "scales",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
        axes=_OVER_IMAGE,
    )


def reordered(node: Node, axes: Sequence[int]) -> Node:
    return op.transpose(node, np.array(axes))


def _bfloat16(values: HostArray) -> ov.Tensor:
    tensor = ov.Tensor(ov.Type.bf16, ov.Shape(values.shape))
    tensor.data.view(np.uint16)[...] = _nearest(values).view(np.uint32) >> 16
    return tensor


def _nearest(values: HostArray) -> HostArray:
    """Rounded to bfloat16, in float32; OpenVINO's own conversion cuts most constants off."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)


def _for_blocks(kernel: HostArray) -> HostArray:
    """(C out, C in, k, k) as (4 · C out, C in, k + 1, k + 1) by strides of two."""
    out, into, side, _ = kernel.shape
    blocks = np.zeros((out, 2, 2, into, side + 1, side + 1), np.float32)
    for down in range(2):
        for right in range(2):
            blocks[:, down, right, :, down : down + side, right : right + side] = kernel
    return blocks.reshape(4 * out, into, side + 1, side + 1)
