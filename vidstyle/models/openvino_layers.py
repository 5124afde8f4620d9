"""What networks of styles are built of, as nodes of an OpenVINO graph.

Pictures and features are (1, C, H, W). A graph states the precision of each node, and the plugin is
told to keep it: convolutions and what lies between them are in the precision of the network,
statistics over a whole picture in float32, whatever the network's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.place import Precision
from vidstyle.models.openvino_library import op, ov

Node: TypeAlias = Any
"""Of a graph; the package has no types."""
Edge = Literal["edge", "reflect"]
"""What lies beyond a picture: its last pixels again, or those before them."""

_OVER_PICTURE = np.array([2, 3])


class Layers:
    """Makes nodes of one precision."""

    def __init__(self, precision: Precision) -> None:
        self._type = ov.Type.bf16 if precision == "bfloat16" else ov.Type.f32

    def rounded(self, node: Node) -> Node:
        """In the network's precision."""
        return op.convert(node, self._type)

    def exact(self, node: Node) -> Node:
        """In float32."""
        return op.convert(node, ov.Type.f32)

    def constant(self, values: HostArray) -> Node:
        """An array in the network's precision."""
        return op.constant(_bfloat16(values) if self._type == ov.Type.bf16 else values)

    def convolution(
        self, features: Node, kernel: HostArray, *, edge: Edge, stride: int = 1, dilation: int = 1
    ) -> Node:
        """Keeps the size, or divides it by the stride. ``kernel`` is (C out, C in, k, k), k odd."""
        around = dilation * (kernel.shape[2] // 2)
        return self._convolution(padded(features, around, edge), kernel, stride, dilation)

    def output_convolution(self, features: Node, kernel: HostArray, *, edge: Edge) -> Node:
        """As ``convolution``, for a handful of channels: (1, C, H, W) of even H and W.

        Processors compute channels by the dozen, so that three take as long as twelve. Here the
        four pixels of a block are channels of one.
        """
        around = kernel.shape[2] // 2
        blocks = self._convolution(padded(features, around, edge), _for_blocks(kernel), 2, 1)
        return op.depth_to_space(blocks, "depth_first", 2)

    def transposed_convolution(self, features: Node, kernel: HostArray) -> Node:
        """Doubles the size; ``kernel`` (C in, C out, 3, 3), zeros beyond the edge."""
        return op.convolution_backprop_data(
            features,
            self.constant(kernel),
            [2, 2],
            pads_begin=[1, 1],
            pads_end=[1, 1],
            output_padding=[1, 1],
        )

    def channelwise_convolution(self, features: Node, kernel: HostArray, *, edge: Edge) -> Node:
        """Each of C channels by its own kernel of (C, k, k), k odd."""
        grouped = kernel[:, None, None]
        around = kernel.shape[2] // 2
        return op.group_convolution(
            padded(features, around, edge),
            self.constant(grouped),
            [1, 1],
            [0, 0],
            [0, 0],
            [1, 1],
        )

    def _convolution(self, features: Node, kernel: HostArray, stride: int, dilation: int) -> Node:
        return op.convolution(
            features, self.constant(kernel), [stride] * 2, [0, 0], [0, 0], [dilation] * 2
        )


def padded(features: Node, around: int, edge: Edge) -> Node:
    """With so many more pixels on each side."""
    amounts = np.array([0, 0, around, around])
    return op.pad(features, amounts, amounts, edge)


def by_channel(values: HostArray) -> Node:
    """A float32 value for each channel, to be used on (1, C, H, W)."""
    return op.constant(np.ascontiguousarray(values, np.float32).reshape(1, -1, 1, 1))


def number(value: float) -> Node:
    """One float32 for all."""
    return op.constant(np.float32(value))


def doubled(features: Node) -> Node:
    """Each pixel repeated to 2x2.

    Together with the convolution after it this could be one transposed convolution, a tenth faster
    in all. But then neighbouring pixels have sums of the same weights that are each rounded by
    themselves, and a normalisation makes a pattern of that in flat pictures.
    """
    return op.interpolate(
        features,
        np.array([2, 2], np.float32),
        "nearest",
        "scales",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
        axes=_OVER_PICTURE,
    )


def mean_over_picture(features: Node) -> Node:
    """(1, C, 1, 1)."""
    return op.reduce_mean(features, _OVER_PICTURE, True)


def standardised(features: Node, epsilon: float) -> Node:
    """Each channel with mean 0 and variance 1; the plugin sums in float32."""
    return op.mvn(features, _OVER_PICTURE, True, epsilon, "inside_sqrt")


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
