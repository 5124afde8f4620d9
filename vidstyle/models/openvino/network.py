"""An image network on a processor, without torch: its graph and weights, compiled for a size."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.graph import fix_size, fix_weights, read_graph
from vidstyle.models.openvino.kept import digest_of_network, kept_or_compiled
from vidstyle.models.openvino.precision import lower_precision
from vidstyle.models.openvino.quantization import Ranges, quantize
from vidstyle.models.openvino.runtime import compile_model, ov


class OpenVinoNetwork:
    """Maps images of any size to images of that size, by an ONNX graph and its weights.

    Images are equal from run to run for one number of threads. The network is compiled for one
    size at a time, which takes some tenths of a second; one thread may use it at a time.

    Args:
        graph: As ``graph.read_graph`` takes it.
        weights: Float32, by the names and in the shapes of ``graph.weight_shapes``.
        precision: ``float32``, ``bfloat16`` as ``precision.lower_precision`` has it, or ``int8``:
            the convolutions that have ranges in 8 bits, the rest in bfloat16.
        threads: Of the processor.
        smallest_side: Shorter sides are extended to so many pixels for the graph.
        ranges: For ``int8``, as ``quantization.measure_ranges`` gives them.
    """

    def __init__(
        self,
        graph: bytes,
        weights: Mapping[str, HostArray],
        *,
        precision: Precision,
        threads: int,
        smallest_side: int = 1,
        ranges: Ranges | None = None,
    ) -> None:
        self._graph, self._weights, self._ranges = graph, dict(weights), dict(ranges or {})
        named = {f"ranges {name}": values for name, values in self._ranges.items()}
        self._digest = digest_of_network(graph, {**weights, **named})
        self._precision, self._threads = precision, threads
        self._smallest_side = smallest_side
        self._size = (0, 0)
        self._request: Any = None

    def prepare(self, height: int, width: int) -> None:
        """Compile for images of a size, where the last one had another.

        Args:
            height: In pixels.
            width: In pixels.
        """
        size = max(self._smallest_side, height), max(self._smallest_side, width)
        if size == self._size:
            return
        # The memory of the last size is given back first.
        self._request = None
        key = (self._digest, size, self._precision, self._threads)
        self._request = kept_or_compiled(key, lambda: self._compile(size)).create_infer_request()
        self._size = size

    def run(self, image: HostArray) -> HostArray:
        """Compute the network's image.

        Args:
            image: (H, W, 3) float32, RGB in [0, 1]; it may be read-only.

        Returns:
            A new array of that shape.
        """
        height, width = image.shape[:2]
        self.prepare(height, width)
        given = _writable(_extend(image, *self._size))
        found = np.empty_like(given)
        self._request.set_input_tensor(ov.Tensor(given[None], shared_memory=True))
        self._request.set_output_tensor(ov.Tensor(found[None], shared_memory=True))
        self._request.infer()
        return np.ascontiguousarray(found[:height, :width])

    def _compile(self, size: tuple[int, int]) -> Any:
        model = sized_model(self._graph, size, self._precision, self._weights, self._ranges)
        return compile_model(model, threads=self._threads)


def sized_model(
    graph: bytes,
    size: tuple[int, int],
    precision: Precision,
    weights: Mapping[str, HostArray] | None = None,
    ranges: Ranges | None = None,
) -> ov.Model:
    """Build the model of a graph for one image of a size, in a precision.

    Args:
        graph: As ``graph.read_graph`` takes it.
        size: Height and width of the image.
        precision: As ``OpenVinoNetwork`` has it.
        weights: By name; None leaves them parameters, which shows what the model takes to run.
        ranges: As ``OpenVinoNetwork`` has them.

    Returns:
        The model.
    """
    model = read_graph(graph)
    if weights is not None:
        if precision == "int8":
            quantize(model, weights, ranges or {})
        fix_weights(model, weights)
    model = fix_size(model, *size)
    if precision in ("bfloat16", "int8"):
        lower_precision(model)
    return model


def _extend(image: HostArray, height: int, width: int) -> HostArray:
    """With more below and to the right: by reflection, or along a side too short for it by
    repeating the edge, as ``style.network.stylize`` does."""
    below, right = height - image.shape[0], width - image.shape[1]
    if not below and not right:
        return np.ascontiguousarray(image)
    wider = cv2.copyMakeBorder(image, 0, 0, 0, right, _border(right, image.shape[1]))
    taller = cv2.copyMakeBorder(wider, 0, below, 0, 0, _border(below, image.shape[0]))
    return np.asarray(taller, np.float32)


def _border(amount: int, side: int) -> int:
    return cv2.BORDER_REFLECT_101 if amount < side else cv2.BORDER_REPLICATE


def _writable(image: HostArray) -> HostArray:
    """The same memory, as an array that OpenVINO takes.

    It refuses arrays that are read-only, and does not write to its input.
    """
    interface = dict(image.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    return np.asarray(SimpleNamespace(__array_interface__=interface, image=image))
