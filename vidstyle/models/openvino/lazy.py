"""Features of some rows of an image, computed where they are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from vidstyle.core import HostArray
from vidstyle.models.openvino.layers import (
    Edge,
    ImageLayers,
    Node,
    doubled,
    padded_rows,
    reordered,
)
from vidstyle.models.openvino.library import op, ov
from vidstyle.models.openvino.strips import Rows

Layout = Literal["NHWC", "NCHW"]
"""Features are kept in the first, where some rows are one piece of memory; nodes of convolutions
are in the second. OpenVINO computes the second in memory of the first: neither is a copy, as long
as what is read from memory is worked on pixel by pixel before it is reordered."""
_TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


class FeatureMap:
    """Features of a whole image in memory, while they are needed."""

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
        """Values of channels that differ from image to image."""
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
        """These rows; beyond the image, where they extend, what ``edge`` says."""

    def at_least(self, graph: StripGraph, rows: Rows, edge: Edge) -> tuple[Node, Rows]:
        """These rows or some more, in NCHW, and which."""
        return self.node(graph, rows, "NCHW", edge), rows


class _InMemory(Lazy):
    in_memory = extends = alike = True


class Kept(_InMemory):
    def __init__(self, kept: FeatureMap, unit: int) -> None:
        self.height = kept.height
        self._map, self._unit = kept, unit

    def node(self, graph: StripGraph, rows: Rows, layout: Layout, edge: Edge = "edge") -> Node:
        node = graph.rows(self._map, rows, edge, self._unit)
        return node if layout == "NHWC" else reordered(node, _TO_NCHW)


class Values(_InMemory):
    """Of channels: constant, or a parameter of the graph."""

    def __init__(self, values: HostArray, *, constant: bool) -> None:
        self._values, self._constant = values, constant

    def node(self, graph: StripGraph, rows: Rows, layout: Layout, edge: Edge = "edge") -> Node:
        if not self._constant:
            return graph.values(self._values, layout)
        return op.constant(self._values.reshape(_channel_shape(self._values, layout)))


class Pointwise(Lazy):
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
        return node if layout == "NCHW" else reordered(node, TO_NHWC)

    @abstractmethod
    def _computed(self, graph: StripGraph, rows: Rows) -> Node: ...


class Window(_Computed):
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


class Doubled(_Computed):
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


class Enlarged(_Computed):
    """A transposed convolution of 3x3 by strides of 2."""

    def __init__(self, features: Lazy, layers: ImageLayers, kernel: HostArray) -> None:
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


class Blocks(_Computed):
    """2x2 pixels as channels of one."""

    def __init__(self, features: Lazy) -> None:
        super().__init__(features, features.height // 2)

    def _computed(self, graph: StripGraph, rows: Rows) -> Node:
        read = rows.times(2)
        return op.space_to_depth(self._features.node(graph, read, "NCHW"), "depth_first", 2)


class Unblocked(_Computed):
    """For rows from an even one to before an even one."""

    def __init__(self, features: Lazy) -> None:
        super().__init__(features, 2 * features.height)

    def _computed(self, graph: StripGraph, rows: Rows) -> Node:
        read = Rows(rows.start // 2, rows.stop // 2)
        return op.depth_to_space(self._features.node(graph, read, "NCHW"), "depth_first", 2)


def _channel_shape(values: HostArray, layout: Layout) -> tuple[int, int, int, int]:
    return (1, 1, 1, values.size) if layout == "NHWC" else (1, values.size, 1, 1)
