"""Painting strip by strip: the passes of ``openvino_strips``, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.lazy import FeatureMap, Lazy
from vidstyle.models.openvino.library import ov
from vidstyle.models.openvino.strips import Rows
from vidstyle.models.openvino.strips_graph import Pass, StripLayers

_NEAR = 4
"""Units within which an edge of the image can matter to a strip: no pass reads further."""


class StripNetwork:
    """A network for images of one size, which holds less than one for the whole of them."""

    def __init__(
        self,
        describe: Callable[[StripLayers, Lazy], Lazy],
        precision: Precision,
        size: tuple[int, int],
        strips: Sequence[Rows],
        compiled: Callable[[ov.Model], Any],
    ) -> None:
        """``describe`` makes features of the painted image of those of the image, and
        ``compiled`` a compiled model of a model. ``size`` is height and width."""
        height, width = size
        layers = StripLayers(precision, height, width)
        self._image = layers.image
        layers.kept(describe(layers, layers.pointwise(layers.rounded, layers.source())))
        self._passes = [_StripPass(one, layers, strips, compiled) for one in layers.passes]
        self._done = _last_read([one.reads for one in self._passes])

    def stylize(self, image: HostArray) -> HostArray:
        """(H, W, 3) float32, writable though it is not written to, to a new one of that shape."""
        self._image.array = image
        stylized = None
        for one, done in zip(self._passes, self._done, strict=True):
            stylized = one.run()
            for features in done:
                features.array = None
        assert stylized is not None
        result, stylized.array = stylized.array, None
        assert result is not None
        return result


def _last_read(reads: Sequence[set[FeatureMap]]) -> list[set[FeatureMap]]:
    """For each pass what it reads and no later one does."""
    later: set[FeatureMap] = set()
    last = []
    for here in reversed(reads):
        last.append(here - later)
        later |= here
    return last[::-1]


class _StripPass:
    """A pass with the models of its strips."""

    def __init__(
        self,
        described: Pass,
        layers: StripLayers,
        strips: Sequence[Rows],
        compiled: Callable[[ov.Model], Any],
    ) -> None:
        self._pass = described
        self._unit, self._pixels = layers.scale(described.features.height)
        self.reads: set[FeatureMap] = set()
        alike: dict[tuple[int, int], _StripModel] = {}
        self._strips: list[tuple[Rows, _StripModel]] = []
        for strip in strips:
            position = (0, 0) if described.features.alike else _position(strip, strips)
            if position not in alike:
                graph, model = described.graph(strip, self._unit)
                alike[position] = _StripModel(partial(compiled, model), graph.sources)
                self.reads |= graph.maps
            self._strips.append((strip, alike[position]))

    def run(self) -> FeatureMap | None:
        """Compute all strips; returns where they are kept."""
        target, statistics = self._pass.target, self._pass.statistics
        if target is not None:
            target.allocate()
        sums = np.zeros((2, 1))
        covered = 0
        models = [model for _, model in self._strips]
        for (strip, here), following in zip(self._strips, [*models[1:], None], strict=True):
            rows = strip.times(self._unit)
            results = here.compute(strip, None if target is None else target.tensor(rows, "edge"))
            if statistics is not None:
                sums = sums + _summed(*results, initial_state=covered - rows.start)
                covered = rows.stop
            if here is not following:
                here.release()
        if statistics is not None:
            statistics.resolve(*sums / self._pixels)
        return target


def _position(strip: Rows, strips: Sequence[Rows]) -> tuple[int, int]:
    """How far a strip is from the edges, as far as that matters: strips are alike where equal."""
    return min(strip.start, _NEAR), min(strips[-1].stop - strip.stop, _NEAR)


def _summed(sums: HostArray, norms: HostArray, *, initial_state: int) -> HostArray:
    """Sums and sums of squares, (2, C) in float64, of all rows but the first ones.

    Of sums and Euclidean norms of each row, (1, C, rows).
    """
    rows = np.stack(
        [sums[0, :, initial_state:], np.square(norms[0, :, initial_state:], dtype=np.float64)]
    )
    summed: HostArray = rows.sum(axis=2, dtype=np.float64)
    return summed


class _StripModel:
    """A model for strips that lie alike. It is compiled when it is first needed: a compiled model
    holds memory for its inputs until it is first given some."""

    def __init__(
        self, compile_it: Callable[[], Any], sources: Sequence[Callable[[Rows], ov.Tensor]]
    ) -> None:
        self._compile, self._sources = compile_it, sources
        self._compiled: Any = None
        self._request: Any = None

    def compute(self, strip: Rows, target: ov.Tensor | None) -> list[HostArray]:
        """All results but the one that is written to ``target``; until the next call."""
        if self._compiled is None:
            self._compiled = self._compile()
        if self._request is None:
            self._request = self._compiled.create_infer_request()
        # Tensors only borrow the memory of arrays: they are held here as long as they are used.
        inputs = [source(strip) for source in self._sources]
        for index, tensor in enumerate(inputs):
            self._request.set_input_tensor(index, tensor)
        if target is not None:
            self._request.set_output_tensor(0, target)
        self._request.infer()
        first = 0 if target is None else 1
        outputs = range(first, len(self._compiled.outputs))
        return [self._request.get_output_tensor(index).data for index in outputs]

    def release(self) -> None:
        """Give back what it works in."""
        self._request = None
        self._compiled.release_memory()
