"""bfloat16 in a graph of float32: what is computed in it, and what stays exact.

Convolutions and what moves their features are in bfloat16. So is a mean-variance normalization
with what follows it pixel by pixel, which the plugin computes as one, in float32 inside. All other
arithmetic stays in float32: statistics over an image that are built of single operations, and the
values of the result. The plugin fuses the conversions into it. Convolutions in 8 bits
(``quantization``) and what moves their bytes stay so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from vidstyle.core import HostArray
from vidstyle.models.openvino.runtime import op, ov

# The package has no types.
_Node: TypeAlias = Any
_Output: TypeAlias = Any
_Input: TypeAlias = Any

_NORMALIZATION = "MVN"
_ROUNDING = "FakeQuantize"
_CONVOLUTIONS = (
    *("Convolution", "GroupConvolution"),
    *("ConvolutionBackpropData", "GroupConvolutionBackpropData"),
)
_MOVES = (
    *("Pad", "Interpolate", "DepthToSpace", "SpaceToDepth", "Concat"),
    *("Transpose", "Reshape", "Slice", "StridedSlice", "Unsqueeze", "Squeeze"),
)
_VALUE_INPUTS: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys((*_MOVES, _NORMALIZATION), (0,)),
    "Pad": (0, 3),
    "Concat": tuple(range(64)),
}
"""Of nodes whose other inputs are sizes, axes and the like; of all others every input counts."""


def lower_precision(model: ov.Model) -> None:
    """Make a graph compute in bfloat16 as the module says, in place; its images stay float32.

    Args:
        model: A float32 graph whose weights are constants or parameters.
    """
    order = model.get_ordered_ops()
    lowered = _lowered_nodes(order)
    for node in order:
        for output in node.outputs():
            if output.get_element_type() == ov.Type.f32:
                _convert(node, output, lowered)
    model.validate_nodes_and_infer_types()


def _lowered_nodes(order: Sequence[_Node]) -> set[str]:
    """The names of the nodes whose results are bfloat16."""
    lowered, normalized = set[str](), set[str]()
    in_bytes = _nodes_of_bytes(order)
    for node in order:
        kind, name = node.get_type_name(), node.get_name()
        sources = {value.get_source_output().get_node().get_name() for value in node.inputs()}
        if not _is_float(node) or kind in ("Parameter", "Constant", "Result") or name in in_bytes:
            continue
        if kind == _NORMALIZATION or (
            kind not in (*_CONVOLUTIONS, *_MOVES) and sources & normalized
        ):
            normalized.add(name)
        if kind in _CONVOLUTIONS or name in normalized or (kind in _MOVES and sources & lowered):
            lowered.add(name)
    for node in reversed(order):
        if node.get_type_name() in _MOVES and any(
            _takes_bfloat16(target, lowered) for target in _targets(node)
        ):
            lowered.add(node.get_name())
    return lowered


def _nodes_of_bytes(order: Sequence[_Node]) -> set[str]:
    """The names of what rounds to 8 bits, moves these, and of the convolutions that read them."""
    found = set[str]()
    for node in order:
        kind = node.get_type_name()
        if kind == _ROUNDING or (
            kind in (*_CONVOLUTIONS, *_MOVES) and node.input_value(0).get_node().get_name() in found
        ):
            found.add(node.get_name())
    return found


def _convert(node: _Node, output: _Output, lowered: set[str]) -> None:
    """Give each reader of an output the precision that it takes.

    What a convolution reads is rounded for all of its readers, so that it is stored once.
    """
    readers = [(target, _takes_bfloat16(target, lowered)) for target in output.get_target_inputs()]
    rounding = any(takes for _, takes in readers)
    if node.get_type_name() == "Constant":
        constant = op.constant(to_bfloat16(node.data)).output(0) if rounding else None
        for target, takes in readers:
            if takes:
                target.replace_source_output(constant)
        return
    if node.get_name() in lowered:
        rounded = output
    elif rounding:
        rounded = op.convert(output, ov.Type.bf16).output(0)
    else:
        return
    exact = None
    for target, takes in readers:
        if not takes:
            exact = exact or op.convert(rounded, ov.Type.f32).output(0)
            target.replace_source_output(exact)
        elif rounded is not output:
            target.replace_source_output(rounded)


def _takes_bfloat16(target: _Input, lowered: set[str]) -> bool:
    node = target.get_node()
    counts = _VALUE_INPUTS.get(node.get_type_name())
    return node.get_name() in lowered and (counts is None or target.get_index() in counts)


def _is_float(node: _Node) -> bool:
    return bool(node.get_output_size()) and node.get_output_element_type(0) == ov.Type.f32


def _targets(node: _Node) -> Iterator[_Input]:
    for output in node.outputs():
        yield from output.get_target_inputs()


def to_bfloat16(values: HostArray) -> ov.Tensor:
    """Round an array to bfloat16; OpenVINO's own conversion cuts most constants off.

    Args:
        values: float32, of any shape.

    Returns:
        The values, each rounded to the nearest.
    """
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    tensor = ov.Tensor(ov.Type.bf16, ov.Shape(values.shape))
    tensor.data.view(np.uint16)[...] = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return tensor
