"""How much memory a network takes while it runs: counted from its graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from vidstyle.core.context import Precision
from vidstyle.models.openvino.network import sized_model

# Bytes of the compiled code, and of what the library allocates besides.
_FIXED = 60 << 20
# Float32 images beside the network's features: the image and its result, which stay all along,
# copies of both in the library's layout, and what the library reorders between types.
_IMAGE, _IMAGES = 12, 6
# torch reorders what convolutions read and write.
_TORCH_COPIES = 2
_NO_FEATURES = ("Constant", "Parameter", "Result")
_MOVED_IN_PLACE = ("Reshape", "Squeeze", "Unsqueeze")
_NOT_FUSED = (
    *("Convolution", "GroupConvolution", "ConvolutionBackpropData"),
    *("GroupConvolutionBackpropData", "Pad", "Interpolate", "DepthToSpace", "SpaceToDepth"),
    *("Transpose", "Slice", "StridedSlice", "Concat", "MVN", "Parameter", "Result"),
)
"""Nodes that read all of their inputs before others begin; what is pixel by pixel is fused."""


@lru_cache(maxsize=64)
def network_memory(
    graph: bytes, *, size: tuple[int, int], precision: Precision, fused: bool = True
) -> int:
    """Compute the memory that a network takes for an image, the image and its result among them.

    All features that are needed at one time are added up, at the worst moment.

    Args:
        graph: As ``graph.read_graph`` takes it.
        size: Height and width of the image.
        precision: As ``OpenVinoNetwork`` has it; ``int8`` counts as bfloat16.
        fused: Whether operations pixel by pixel are computed together, as OpenVINO does, or each
            for itself, as torch does.

    Returns:
        Bytes at most.

    Raises:
        ValueError: As ``graph.read_graph`` does.
    """
    model = sized_model(graph, size, precision)
    features = _peak(model.get_ordered_ops(), fused=fused) * (1 if fused else _TORCH_COPIES)
    return _FIXED + _IMAGES * _IMAGE * math.prod(size) + features


def _peak(order: Sequence[Any], *, fused: bool) -> int:
    position = {node.get_name(): at for at, node in enumerate(order)}
    until: dict[str, int] = {}
    for node in reversed(order):
        readers = [
            target.get_node() for out in node.outputs() for target in out.get_target_inputs()
        ]
        # Who only passes values on, or is computed with its reader, needs its inputs as long.
        until[node.get_name()] = max(
            (
                until[reader.get_name()]
                if _passes_on(reader, fused=fused)
                else position[reader.get_name()]
                for reader in readers
            ),
            default=position[node.get_name()],
        )
    changes = [0] * (len(order) + 1)
    for node in order:
        if node.get_type_name() in _NO_FEATURES or _passes_on(node, fused=fused):
            continue
        size = _bytes(node)
        changes[position[node.get_name()]] += size
        changes[until[node.get_name()] + 1] -= size
    peak = current = 0
    for change in changes:
        current += change
        peak = max(peak, current)
    return peak


def _passes_on(node: Any, *, fused: bool) -> bool:
    kind = node.get_type_name()
    if kind in _MOVED_IN_PLACE:
        return True
    if not fused or kind in _NOT_FUSED or kind.startswith("Reduce"):
        return False
    readers = _readers(node)
    return len(readers) == 1 and (
        readers[0].get_type_name() not in _NOT_FUSED
        and not readers[0].get_type_name().startswith("Reduce")
    )


def _readers(node: Any) -> list[Any]:
    return [target.get_node() for out in node.outputs() for target in out.get_target_inputs()]


def _bytes(node: Any) -> int:
    return sum(
        math.prod(output.get_shape()) * output.get_element_type().size for output in node.outputs()
    )
