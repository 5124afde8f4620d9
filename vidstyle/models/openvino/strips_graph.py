"""Networks strip by strip: what has to be computed, and kept, to paint a part of an image.

A strip is some whole rows. Convolutions need rows beyond it, and normalizations sums over all of
the image. So a network is cut behind the convolution before each normalization: a pass computes
these features strip by strip, keeps them and sums them up, and then the normalization is an
operation pixel by pixel, which is done where the next pass reads them. Features as large as the
image are not kept: the next pass computes them again, since a network's layers at full size are
its cheap ones, and one of them takes as much memory as all that is kept of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.layers import Edge, ImageLayers, Node, exact, reordered
from vidstyle.models.openvino.lazy import (
    TO_NHWC,
    Blocks,
    Doubled,
    Enlarged,
    FeatureMap,
    Kept,
    Lazy,
    Pointwise,
    StripGraph,
    Unblocked,
    Values,
    Window,
)
from vidstyle.models.openvino.library import op, ov
from vidstyle.models.openvino.strips import UNIT, Rows


class Statistics:
    """What a normalization multiplies and adds, once the image's sums are known."""

    def __init__(
        self,
        channels: int,
        normalization: Callable[[HostArray, HostArray], tuple[HostArray, HostArray]],
    ) -> None:
        """``normalization`` makes gain and offset of mean and mean square; all (C,), float64."""
        self.gain, self.offset = (np.empty(channels, np.float32) for _ in range(2))
        self._normalization = normalization

    def resolve(self, mean: HostArray, power: HostArray) -> None:
        self.gain[:], self.offset[:] = self._normalization(mean, power)


@dataclass(frozen=True, eq=False)
class Pass:
    """Features to be computed of all strips, before what comes after can be."""

    features: Lazy
    target: FeatureMap | None
    """Where they are kept, if they are."""
    statistics: Statistics | None

    def graph(self, strip: Rows, unit: int) -> tuple[StripGraph, ov.Model]:
        """For a strip, and all that lie alike. The model's results are its rows in NHWC if they
        are kept, and for statistics sums and Euclidean norms of each row: (1, C, rows)."""
        graph = StripGraph(strip)
        rows = strip.times(unit)
        if self.statistics is None:
            results = [self.features.node(graph, rows, "NHWC")]
        else:
            node = self.features.node(graph, rows, "NCHW")
            kept = [] if self.target is None else [reordered(node, TO_NHWC)]
            results = [*kept, *_sums(node)]
        if self.target is not None:
            self.target.shape(results[0])
        return graph, ov.Model(results, graph.parameters)


def _sums(node: Node) -> list[Node]:
    across, values = np.array([3]), exact(node)
    return [op.reduce_sum(values, across), op.reduce_l2(values, across)]


class StripLayers:
    """``openvino_layers.Layers`` whose features are ``Lazy``; notes the passes that they need."""

    def __init__(self, precision: Precision, height: int, width: int) -> None:
        """For images of that size, multiples of ``UNIT``."""
        self.passes: list[Pass] = []
        """In their order."""
        self.image = FeatureMap(height)
        self.image.width, self.image.channels = width, 3
        self._nodes = ImageLayers(precision)

    def scale(self, height: int) -> tuple[int, int]:
        """Of features that have so many rows: how many of these are a unit of strips, and their
        number of pixels."""
        unit = UNIT * height // self.image.height
        return unit, height * self.image.width * unit // UNIT

    def source(self) -> Lazy:
        """The image."""
        return Kept(self.image, UNIT)

    def rounded(self, node: Node) -> Node:
        return self._nodes.rounded(node)

    def per_channel(self, values: HostArray) -> Lazy:
        return Values(np.ascontiguousarray(values, np.float32).ravel(), constant=True)

    def pointwise(self, function: Callable[..., Node], *features: Lazy) -> Lazy:
        return Pointwise(function, features)

    def kept(self, features: Lazy, statistics: Statistics | None = None) -> Lazy:
        target = FeatureMap(features.height)
        self.passes.append(Pass(features, target, statistics))
        return Kept(target, self.scale(features.height)[0])

    def convolution(
        self, features: Lazy, kernel: HostArray, *, edge: Edge, stride: int = 1, dilation: int = 1
    ) -> Lazy:
        def function(node: Node) -> Node:
            return self._nodes.valid_convolution(node, kernel, stride, dilation)

        around = dilation * (kernel.shape[2] // 2)
        return Window(features, function, around=around, edge=edge, stride=stride)

    def output_convolution(self, features: Lazy, kernel: HostArray, *, edge: Edge) -> Lazy:
        def function(node: Node) -> Node:
            return self._nodes.valid_output_convolution(node, kernel)

        return Window(features, function, around=kernel.shape[2] // 2, edge=edge)

    def transposed_convolution(self, features: Lazy, kernel: HostArray) -> Lazy:
        return Enlarged(features, self._nodes, kernel)

    def channelwise_convolution(self, features: Lazy, kernel: HostArray, *, edge: Edge) -> Lazy:
        def function(node: Node) -> Node:
            return self._nodes.valid_channelwise_convolution(node, kernel)

        return Window(features, function, around=kernel.shape[2] // 2, edge=edge)

    def doubled(self, features: Lazy) -> Lazy:
        return Doubled(features)

    def space_to_depth(self, features: Lazy) -> Lazy:
        return Blocks(features)

    def depth_to_space(self, features: Lazy) -> Lazy:
        return Unblocked(features)

    def instance_normalized(
        self, features: Lazy, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Lazy:
        weight, bias = self._nodes.nearest(weight), self._nodes.nearest(bias)

        def normalization(mean: HostArray, power: HostArray) -> tuple[HostArray, HostArray]:
            gain = weight / np.sqrt(np.maximum(power - mean**2, 0) + epsilon)
            return gain, bias - mean * gain

        return Pointwise(self.rounded, [self._normalized(features, weight.size, normalization)])

    def response_normalized(
        self, features: Lazy, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Lazy:
        def normalization(_: HostArray, power: HostArray) -> tuple[HostArray, HostArray]:
            return weight.ravel() / np.sqrt(power + epsilon), bias.ravel()

        return self._normalized(features, weight.size, normalization)

    def _normalized(self, features: Lazy, channels: int, normalization: Any) -> Lazy:
        statistics = Statistics(channels, normalization)
        if features.height < self.image.height:
            features = self.kept(features, statistics)
        else:
            self.passes.append(Pass(features, None, statistics))
        gain, offset = (
            Values(values, constant=False) for values in (statistics.gain, statistics.offset)
        )
        return Pointwise(_scaled, [features, gain, offset])


def _scaled(features: Node, gain: Node, offset: Node) -> Node:
    return op.add(op.multiply(exact(features), gain), offset)
