"""Networks strip by strip: what has to be computed, and kept, to paint a part of a picture.

A strip is some whole rows. Convolutions need rows beyond it, and normalisations sums over all of
the picture. So a network is cut behind the convolution before each normalisation: a pass computes
these features strip by strip, keeps them and sums them up, and then the normalisation is an
operation pixel by pixel, which is done where the next pass reads them. Features as large as the
picture are not kept: the next pass computes them again, since a network's layers at full size are
its cheap ones, and one of them takes as much memory as all that is kept of the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.place import Precision
from vidstyle.models.openvino_layers import (
    Edge,
    Node,
    PictureLayers,
    doubled,
    exact,
    padded_rows,
    reordered,
)
from vidstyle.models.openvino_library import op, ov
from vidstyle.models.strips import UNIT, Rows

Layout = Literal["NHWC", "NCHW"]
"""Features are kept in the first, where some rows are one piece of memory; nodes of convolutions
are in the second. OpenVINO computes the second in memory of the first: neither is a copy, as long
as what is read from memory is worked on pixel by pixel before it is reordered."""
_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


class FeatureMap:
    """Features of a whole picture in memory, while they are needed."""

    def __init__(self, height: int) -> None:
        self.height = height
        self.width = self.channels = 0
        self.type = ov.Type.f32
        self.array: HostArray | None = None
        """(H, W, C); bfloat16 as uint16."""

    def shape(self, node: Node) -> None:
        """Have it hold what a node makes of some rows: (1, rows, W, C)."""
        _, _, self.width, self.channels = node.get_output_shape(0)
        self.type = node.get_output_element_type(0)

    def allocate(self) -> None:
        kind = np.uint16 if self.type == ov.Type.bf16 else np.float32
        self.array = np.empty((self.height, self.width, self.channels), kind)

    def tensor(self, rows: Rows, edge: Edge) -> ov.Tensor:
        """These rows themselves, or a copy where some lie beyond the edge."""
        assert self.array is not None
        there = rows.within(self.height)
        values = self.array[there.start : there.stop]
        if there != rows:
            beyond = (there.start - rows.start, rows.stop - there.stop)
            values = np.pad(values, (beyond, (0, 0), (0, 0)), edge)
        return ov.Tensor(values, [1, *values.shape], self.type)


class Statistics:
    """What a normalisation multiplies and adds, once the picture's sums are known."""

    def __init__(
        self,
        channels: int,
        normalisation: Callable[[HostArray, HostArray], tuple[HostArray, HostArray]],
    ) -> None:
        """``normalisation`` makes gain and offset of mean and mean square; all (C,), float64."""
        self.gain, self.offset = (np.empty(channels, np.float32) for _ in range(2))
        self._normalisation = normalisation

    def settle(self, mean: HostArray, power: HostArray) -> None:
        self.gain[:], self.offset[:] = self._normalisation(mean, power)


class StripGraph:
    """The graph of one strip while it is built, and where its inputs come from."""

    def __init__(self, strip: Rows) -> None:
        self.parameters: list[Node] = []
        self.sources: list[Callable[[Rows], ov.Tensor]] = []
        """The tensor of each parameter, for any strip that lies alike."""
        self._strip = strip
        self._read: dict[tuple[FeatureMap, Rows, Edge], Node] = {}
        self.maps: set[FeatureMap] = set()

    def rows(self, kept: FeatureMap, rows: Rows, edge: Edge, unit: int) -> Node:
        """Rows of features in memory, ``unit`` of which are one of the strip's: NHWC."""
        if (kept, rows, edge) not in self._read:
            below = -self._strip.start * unit
            self._read[kept, rows, edge] = self._parameter(
                [1, len(rows), kept.width, kept.channels],
                kept.type,
                lambda strip: kept.tensor(rows.moved(below + strip.start * unit), edge),
            )
            self.maps.add(kept)
        return self._read[kept, rows, edge]

    def values(self, values: HostArray, layout: Layout) -> Node:
        """Values of channels that differ from picture to picture."""
        shape = _channel_shape(values, layout)
        tensor = ov.Tensor(values.reshape(shape), shared_memory=True)
        return self._parameter(shape, ov.Type.f32, lambda _: tensor)

    def _parameter(
        self, shape: Sequence[int], kind: ov.Type, source: Callable[[Rows], ov.Tensor]
    ) -> Node:
        self.parameters.append(op.parameter(list(shape), kind))
        self.sources.append(source)
        return self.parameters[-1]


class Lazy(ABC):
    """Features that are computed where they are asked for."""

    height: int
    in_memory = False
    """Whether nothing but rows in memory and values of channels is read, pixel by pixel."""
    extends = False
    """Whether rows beyond the edge may be asked for."""
    alike = False
    """Whether one graph serves strips everywhere, at the edges too."""

    @abstractmethod
    def node(self, graph: StripGraph, rows: Rows, layout: Layout, edge: Edge = "edge") -> Node:
        """These rows; beyond the picture, where they extend, what ``edge`` says."""

    def at_least(self, graph: StripGraph, rows: Rows, edge: Edge) -> tuple[Node, Rows]:
        """These rows or some more, in NCHW, and which."""
        return self.node(graph, rows, "NCHW", edge), rows


class _InMemory(Lazy):
    in_memory = extends = alike = True


class _Kept(_InMemory):
    def __init__(self, kept: FeatureMap, unit: int) -> None:
        self.height = kept.height
        self._map, self._unit = kept, unit

    def node(self, graph: StripGraph, rows: Rows, layout: Layout, edge: Edge = "edge") -> Node:
        node = graph.rows(self._map, rows, edge, self._unit)
        return node if layout == "NHWC" else reordered(node, _TO_NCHW)


class _Values(_InMemory):
    """Of channels: constant, or a parameter of the graph."""

    def __init__(self, values: HostArray, *, constant: bool) -> None:
        self._values, self._constant = values, constant

    def node(self, graph: StripGraph, rows: Rows, layout: Layout, edge: Edge = "edge") -> Node:
        if not self._constant:
            return graph.values(self._values, layout)
        return op.constant(self._values.reshape(_channel_shape(self._values, layout)))


class _Pointwise(Lazy):
    def __init__(self, function: Callable[..., Node], features: Sequence[Lazy]) -> None:
        self.height = features[0].height
        self.in_memory = self.extends = all(one.in_memory for one in features)
        self.alike = all(one.alike for one in features)
        self._function, self._features = function, features

    def node(self, graph: StripGraph, rows: Rows, layout: Layout, edge: Edge = "edge") -> Node:
        if self.in_memory and layout == "NCHW":
            return reordered(self.node(graph, rows, "NHWC", edge), _TO_NCHW)
        return self._function(*(one.node(graph, rows, layout, edge) for one in self._features))


class _Computed(Lazy):
    """By a function of nodes in NCHW."""

    def __init__(self, features: Lazy, height: int) -> None:
        self.height = height
        self.alike = features.alike
        self._features = features

    def node(self, graph: StripGraph, rows: Rows, layout: Layout, edge: Edge = "edge") -> Node:
        node = self._computed(graph, rows)
        return node if layout == "NCHW" else reordered(node, _TO_NHWC)

    @abstractmethod
    def _computed(self, graph: StripGraph, rows: Rows) -> Node: ...


class _Window(_Computed):
    """A convolution, by ``function`` of its rows and those around them."""

    def __init__(
        self,
        features: Lazy,
        function: Callable[[Node], Node],
        *,
        around: int,
        edge: Edge,
        stride: int = 1,
    ) -> None:
        super().__init__(features, features.height // stride)
        self.alike = features.extends
        self._function = function
        self._around, self._edge, self._stride = around, edge, stride

    def _computed(self, graph: StripGraph, rows: Rows) -> Node:
        first, last = rows.start * self._stride, (rows.stop - 1) * self._stride
        wanted = Rows(first - self._around, last + self._around + 1)
        asked = wanted if self._features.extends else wanted.within(self._features.height)
        node, there = self._features.at_least(graph, asked, self._edge)
        missing = (there.start - wanted.start, wanted.stop - there.stop)
        return self._function(padded_rows(node, missing, self._around, self._edge))


class _Doubled(_Computed):
    """Of features in memory; extends by one row, for which all edges are the same."""

    extends = True

    def __init__(self, features: Lazy) -> None:
        super().__init__(features, 2 * features.height)
        assert features.in_memory

    def at_least(self, graph: StripGraph, rows: Rows, edge: Edge) -> tuple[Node, Rows]:
        assert rows.start >= -1
        assert rows.stop <= self.height + 1
        read = Rows(rows.start // 2, -(-rows.stop // 2))
        return doubled(self._features.node(graph, read, "NCHW", "edge")), read.times(2)

    def _computed(self, graph: StripGraph, rows: Rows) -> Node:
        node, there = self.at_least(graph, rows, "edge")
        return padded_rows(node, (there.start - rows.start, rows.stop - there.stop), 0, "edge")


class _Enlarged(_Computed):
    """A transposed convolution of 3x3 by strides of 2."""

    def __init__(self, features: Lazy, layers: PictureLayers, kernel: HostArray) -> None:
        super().__init__(features, 2 * features.height)
        # Beyond the edge are zeros, which no features in memory have.
        self.alike = False
        self._layers, self._kernel = layers, kernel

    def _computed(self, graph: StripGraph, rows: Rows) -> Node:
        # Row 2i + k - 1 of the result is row i by row k of the kernel.
        read = Rows(rows.start // 2, rows.stop // 2 + 1).within(self._features.height)
        top = 1 + rows.start - 2 * read.start
        bottom = 2 * len(read) + 1 - top - len(rows)
        node = self._features.node(graph, read, "NCHW")
        return self._layers.enlarging_convolution(node, self._kernel, top=top, bottom=bottom)


class _Blocks(_Computed):
    """2x2 pixels as channels of one."""

    def __init__(self, features: Lazy) -> None:
        super().__init__(features, features.height // 2)

    def _computed(self, graph: StripGraph, rows: Rows) -> Node:
        read = rows.times(2)
        return op.space_to_depth(self._features.node(graph, read, "NCHW"), "depth_first", 2)


class _Unblocked(_Computed):
    """For rows from an even one to before an even one."""

    def __init__(self, features: Lazy) -> None:
        super().__init__(features, 2 * features.height)

    def _computed(self, graph: StripGraph, rows: Rows) -> Node:
        read = Rows(rows.start // 2, rows.stop // 2)
        return op.depth_to_space(self._features.node(graph, read, "NCHW"), "depth_first", 2)


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
            kept = [] if self.target is None else [reordered(node, _TO_NHWC)]
            results = [*kept, *_sums(node)]
        if self.target is not None:
            self.target.shape(results[0])
        return graph, ov.Model(results, graph.parameters)


def _sums(node: Node) -> list[Node]:
    across, values = np.array([3]), exact(node)
    return [op.reduce_sum(values, across), op.reduce_l2(values, across)]


def _channel_shape(values: HostArray, layout: Layout) -> tuple[int, int, int, int]:
    return (1, 1, 1, values.size) if layout == "NHWC" else (1, values.size, 1, 1)


class StripLayers:
    """``openvino_layers.Layers`` whose features are ``Lazy``; notes the passes that they need."""

    def __init__(self, precision: Precision, height: int, width: int) -> None:
        """For pictures of that size, multiples of ``UNIT``."""
        self.passes: list[Pass] = []
        """In their order."""
        self.picture = FeatureMap(height)
        self.picture.width, self.picture.channels = width, 3
        self._nodes = PictureLayers(precision)

    def scale(self, height: int) -> tuple[int, int]:
        """Of features that have so many rows: how many of these are a unit of strips, and their
        number of pixels."""
        unit = UNIT * height // self.picture.height
        return unit, height * self.picture.width * unit // UNIT

    def source(self) -> Lazy:
        """The picture."""
        return _Kept(self.picture, UNIT)

    def rounded(self, node: Node) -> Node:
        return self._nodes.rounded(node)

    def per_channel(self, values: HostArray) -> Lazy:
        return _Values(np.ascontiguousarray(values, np.float32).ravel(), constant=True)

    def pointwise(self, function: Callable[..., Node], *features: Lazy) -> Lazy:
        return _Pointwise(function, features)

    def kept(self, features: Lazy, statistics: Statistics | None = None) -> Lazy:
        target = FeatureMap(features.height)
        self.passes.append(Pass(features, target, statistics))
        return _Kept(target, self.scale(features.height)[0])

    def convolution(
        self, features: Lazy, kernel: HostArray, *, edge: Edge, stride: int = 1, dilation: int = 1
    ) -> Lazy:
        def function(node: Node) -> Node:
            return self._nodes.valid_convolution(node, kernel, stride, dilation)

        around = dilation * (kernel.shape[2] // 2)
        return _Window(features, function, around=around, edge=edge, stride=stride)

    def output_convolution(self, features: Lazy, kernel: HostArray, *, edge: Edge) -> Lazy:
        def function(node: Node) -> Node:
            return self._nodes.valid_output_convolution(node, kernel)

        return _Window(features, function, around=kernel.shape[2] // 2, edge=edge)

    def transposed_convolution(self, features: Lazy, kernel: HostArray) -> Lazy:
        return _Enlarged(features, self._nodes, kernel)

    def channelwise_convolution(self, features: Lazy, kernel: HostArray, *, edge: Edge) -> Lazy:
        def function(node: Node) -> Node:
            return self._nodes.valid_channelwise_convolution(node, kernel)

        return _Window(features, function, around=kernel.shape[2] // 2, edge=edge)

    def doubled(self, features: Lazy) -> Lazy:
        return _Doubled(features)

    def space_to_depth(self, features: Lazy) -> Lazy:
        return _Blocks(features)

    def depth_to_space(self, features: Lazy) -> Lazy:
        return _Unblocked(features)

    def instance_normalised(
        self, features: Lazy, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Lazy:
        weight, bias = self._nodes.nearest(weight), self._nodes.nearest(bias)

        def normalisation(mean: HostArray, power: HostArray) -> tuple[HostArray, HostArray]:
            gain = weight / np.sqrt(np.maximum(power - mean**2, 0) + epsilon)
            return gain, bias - mean * gain

        return _Pointwise(self.rounded, [self._normalised(features, weight.size, normalisation)])

    def response_normalised(
        self, features: Lazy, weight: HostArray, bias: HostArray, epsilon: float
    ) -> Lazy:
        def normalisation(_: HostArray, power: HostArray) -> tuple[HostArray, HostArray]:
            return weight.ravel() / np.sqrt(power + epsilon), bias.ravel()

        return self._normalised(features, weight.size, normalisation)

    def _normalised(self, features: Lazy, channels: int, normalisation: Any) -> Lazy:
        statistics = Statistics(channels, normalisation)
        if features.height < self.picture.height:
            features = self.kept(features, statistics)
        else:
            self.passes.append(Pass(features, None, statistics))
        gain, offset = (
            _Values(values, constant=False) for values in (statistics.gain, statistics.offset)
        )
        return _Pointwise(_scaled, [features, gain, offset])


def _scaled(features: Node, gain: Node, offset: Node) -> Node:
    return op.add(op.multiply(exact(features), gain), offset)
