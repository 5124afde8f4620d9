"""Painting on a processor by OpenVINO, from a style's weights, without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.fast import fast_network
from vidstyle.models.openvino.johnson import fractional_network, johnson_network
from vidstyle.models.openvino.layers import ImageLayers, Layers, reordered
from vidstyle.models.openvino.lazy import Lazy
from vidstyle.models.openvino.library import op, ov
from vidstyle.models.openvino.passes import StripNetwork
from vidstyle.models.openvino.strips import Rows, strips_of
from vidstyle.models.openvino.strips_graph import StripLayers
from vidstyle.models.style.style_file import Architecture
from vidstyle.models.style.style_weights import StyleWeights

_MULTIPLE, _SMALLEST = 4, 8
"""Sides that networks take, as ``network.StyleNetwork`` has them."""
_GRAPHS: Mapping[Architecture, Callable[[Layers, Mapping[str, HostArray], Any], Any]] = {
    "fast": fast_network,
    "johnson": johnson_network,
    "johnson-fractional": fractional_network,
}


class OpenVinoNetwork:
    """Paints images of any size as ``network.paint`` does.

    In float32 within 1e-3 of torch, in bfloat16 within 2/255 on average. Images are equal from
    run to run for one number of threads. It is compiled for one size at a time, which takes some
    tenths of a second; one thread may use it at a time.

    With a ``tile`` images larger than that are painted strip by strip (``strips``), which takes
    less memory and some more time. The image is the same but for rounding: in float32 within
    1e-3, and in bfloat16 as near as that is to float32.
    """

    def __init__(
        self,
        weights: StyleWeights,
        *,
        precision: Precision,
        threads: int,
        tile: int | None = None,
    ) -> None:
        self._weights = weights
        self._precision = precision
        self._tile = tile
        self._settings = {
            # Keeps every node in the precision that the graph states.
            "EXECUTION_MODE_HINT": "ACCURACY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # Other stages have threads too: the system may move ours out of their way.
            "ENABLE_CPU_PINNING": False,
        }
        self._size = (0, 0)
        self._stylize: Callable[[HostArray], HostArray]

    def prepare(self, height: int, width: int) -> None:
        """Compile for images of that size, where the last one was of another."""
        size = (_allowed(height), _allowed(width))
        if size != self._size:
            strips = strips_of(*size, self._tile)
            self._stylize = self._whole(size) if len(strips) == 1 else self._by_strips(size, strips)
            self._size = size

    def stylize(self, image: HostArray) -> HostArray:
        """(H, W, 3) RGB in [0, 1] to a new image of that shape."""
        height, width = image.shape[:2]
        self.prepare(height, width)
        stylized = self._stylize(_writable(_extended(image, *self._size)))
        return np.ascontiguousarray(stylized[:height, :width])

    def _whole(self, size: tuple[int, int]) -> Callable[[HostArray], HostArray]:
        compiled = self._compiled(style_model(self._weights, self._precision, size))
        request = compiled.create_infer_request()

        def stylize(image: HostArray) -> HostArray:
            stylized = np.empty_like(image)
            request.set_input_tensor(ov.Tensor(image[None], shared_memory=True))
            request.set_output_tensor(ov.Tensor(stylized[None], shared_memory=True))
            request.infer()
            return stylized

        return stylize

    def _by_strips(
        self, size: tuple[int, int], strips: Sequence[Rows]
    ) -> Callable[[HostArray], HostArray]:
        graph = _GRAPHS[self._weights.info.architecture]

        def describe(layers: StripLayers, image: Lazy) -> Lazy:
            stylized: Lazy = graph(layers, self._weights.arrays, image)
            return stylized

        return StripNetwork(describe, self._precision, size, strips, self._compiled).stylize

    def _compiled(self, model: ov.Model) -> Any:
        return _core().compile_model(model, "CPU", self._settings)


def style_model(weights: StyleWeights, precision: Precision, size: tuple[int, int]) -> ov.Model:
    """The graph of a style's network; in and out (1, H, W, 3) float32, for that H and W."""
    layers = ImageLayers(precision)
    image = op.parameter([1, *size, 3], np.float32)
    first = reordered(layers.rounded(image), (0, 3, 1, 2))
    stylized = _GRAPHS[weights.info.architecture](layers, weights.arrays, first)
    return ov.Model([reordered(stylized, (0, 2, 3, 1))], [image], weights.info.architecture)


def native_bfloat16() -> bool:
    """Whether this processor computes in bfloat16, and not by way of float32."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def _core() -> ov.Core:
    """Loads the plugin; one is enough."""
    return ov.Core()


def _allowed(side: int) -> int:
    return max(_SMALLEST, -(-side // _MULTIPLE) * _MULTIPLE)


def _extended(image: HostArray, height: int, width: int) -> HostArray:
    """With more below and to the right: by reflection, or along a side too short for it by
    repeating the edge, as ``network.paint`` does."""
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
