"""Convolutions in 8 bits: which ones, by ranges that were measured on images.

What a convolution reads becomes 256 levels, each channel over its own range, and its weights
become 255, each output over its own. The scales of the channels go into the weights, so that they
cost nothing. Rounded weights would shift an output by a constant: the mean of what they read is
known, and the shift is taken off. Without that most of the difference would be this one. A result
is float32; normalizations, sums, what is thin and what comes first stay as they are.

Why it is built so: docs/decisions/038-eight-bits.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from vidstyle.core import HostArray
from vidstyle.models.openvino.graph import INPUT, fix_weights, read_graph
from vidstyle.models.openvino.runtime import compile_model, op, ov

Ranges: TypeAlias = Mapping[str, HostArray]
"""By the name of a convolution's weights, (3, C): the least, the largest and the mean value of
each channel that it reads."""
# The package has no types.
_Output: TypeAlias = Any
_Input: TypeAlias = Any

# Thinner convolutions begin and end a network, and would leave half of an instruction empty.
_FEWEST_CHANNELS = 16
_LEVELS = 255
_WEIGHT_LEVELS = 127
# What is rounded early goes through all that follows: two thirds of the difference came from these.
_FIRST_EXACT = 3
# Of a range: a channel that is always the same has none.
_NARROWEST = 1e-3


@dataclass(frozen=True)
class _Place:
    """A convolution that can be in 8 bits."""

    name: str
    """Of its weights."""
    convolution: Any
    read: _Input
    """Whose values are rounded: the convolution's, or those of the padding before it."""


def measure_ranges(
    graph: bytes, weights: Mapping[str, HostArray], images: Sequence[HostArray]
) -> Ranges:
    """Measure what the convolutions of a network read, in float32.

    Args:
        graph: As ``graph.read_graph`` takes it.
        weights: By name.
        images: (H, W, 3) RGB in [0, 1], all of one size.

    Returns:
        The ranges of each convolution that can be in 8 bits.

    Raises:
        ValueError: As ``graph.read_graph`` does; or there are no images.
    """
    if not images:
        raise ValueError("ranges are measured on images, and there are none")
    model = read_graph(graph)
    places = list(_places(model))
    model.add_outputs([place.read.get_source_output() for place in places])
    fix_weights(model, weights)
    model.reshape({INPUT: [1, 3, *images[0].shape[:2]]})
    request = compile_model(model, threads=1).create_infer_request()
    found: dict[str, list[HostArray]] = {place.name: [] for place in places}
    for image in images:
        request.infer([np.ascontiguousarray(image.transpose(2, 0, 1))[None]])
        for position, place in enumerate(places, start=1):
            values = request.get_output_tensor(position).data[0]
            found[place.name].append(_summary(values.reshape(len(values), -1)))
    return {name: _joined(np.stack(summaries)) for name, summaries in found.items()}


def _summary(values: HostArray) -> HostArray:
    # Of a network whose values run away: who stores ranges leaves out what is not finite.
    with np.errstate(invalid="ignore"):
        return np.stack([values.min(1), values.max(1), values.mean(1, dtype=np.float64)])


def _joined(summaries: HostArray) -> HostArray:
    least, largest, mean = summaries.swapaxes(0, 1)
    return np.stack([least.min(0), largest.max(0), mean.mean(0)]).astype(np.float32)


def range_shapes(model: ov.Model) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes that ranges of a network have.

    Args:
        model: From ``graph.read_graph``, its weights still parameters.

    Returns:
        Shapes by the names of the weights, of each convolution that can be in 8 bits.
    """
    return {
        place.name: (3, int(place.convolution.input_value(1).get_shape()[1]))
        for place in _places(model)
    }


def eight_bits(scaled: _Output) -> _Output:
    """Round to whole numbers from 0 to 255, which the plugin keeps as bytes.

    Args:
        scaled: Of a model.

    Returns:
        The levels.
    """
    ends = (np.float32(0), np.float32(_LEVELS))
    return op.fake_quantize(
        scaled, *(op.constant(end) for end in (*ends, *ends)), _LEVELS + 1
    ).output(0)


def same_in_float32(scaled: _Output) -> _Output:
    """Round as ``eight_bits`` does, computed in float32 on every processor.

    Args:
        scaled: Of a model.

    Returns:
        The levels.
    """
    return op.clamp(op.round(scaled, "half_to_even"), 0.0, float(_LEVELS)).output(0)


def quantize(
    model: ov.Model,
    weights: Mapping[str, HostArray],
    ranges: Ranges,
    rounding: Callable[[_Output], _Output] = eight_bits,
) -> None:
    """Put the convolutions of a graph in 8 bits, in place.

    Args:
        model: From ``graph.read_graph``, its weights still parameters.
        weights: By name.
        ranges: Of the convolutions to change.
        rounding: ``eight_bits`` or ``same_in_float32``.
    """
    for place in list(_places(model)):
        if place.name in ranges:
            _quantize_one(place, weights[place.name], ranges[place.name], rounding)
    model.validate_nodes_and_infer_types()


def _quantize_one(
    place: _Place,
    weight: HostArray,
    ranges: HostArray,
    rounding: Callable[[_Output], _Output],
) -> None:
    least, largest, mean = ranges.astype(np.float64)
    # The least value is a level: many values are, behind a threshold. Values beyond are cut off.
    step = np.maximum(largest - least, _NARROWEST) / _LEVELS
    scaled = op.add(
        op.multiply(place.read.get_source_output(), _along(1 / step, 1)),
        _along(-least / step, 1),
    )
    place.read.replace_source_output(rounding(scaled.output(0)))
    # A byte's worth: the convolution reads levels, and its weights take their scale.
    scaled_weight = weight * step.reshape(1, -1, 1, 1)
    largest_weight = np.abs(scaled_weight).max(axis=(1, 2, 3), keepdims=True)
    scale = np.maximum(largest_weight, 1e-12) / _WEIGHT_LEVELS
    rounded = np.rint(scaled_weight / scale)
    wanted = np.einsum("oihw,i->o", weight, mean)
    read = np.einsum("oihw,i->o", rounded * scale, (mean - least) / step)
    readers = list(place.convolution.output(0).get_target_inputs())
    corrected = op.add(place.convolution, _along(wanted - read, 1))
    place.convolution.input(1).replace_source_output(
        op.multiply(
            op.convert(op.constant(rounded.astype(np.int8)), ov.Type.f32),
            op.constant(scale.astype(np.float32)),
        ).output(0)
    )
    for reader in readers:
        reader.replace_source_output(corrected.output(0))


def _along(values: HostArray, axis: int) -> Any:
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    return op.constant(values.reshape(shape).astype(np.float32))


def _places(model: ov.Model) -> Iterator[_Place]:
    yield from islice(_thick_convolutions(model), _FIRST_EXACT, None)


def _thick_convolutions(model: ov.Model) -> Iterator[_Place]:
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Convolution":
            continue
        weights = node.input_value(1).get_node()
        attributes = node.get_attributes()
        # What a convolution pads itself are zeros, and 0 need not be a level.
        pads = any(attributes["pads_begin"]) or any(attributes["pads_end"])
        if weights.get_type_name() != "Parameter" or pads:
            continue
        if min(weights.get_output_shape(0)[:2]) >= _FEWEST_CHANNELS:
            yield _Place(weights.get_friendly_name(), node, _read_input(node))


def _read_input(convolution: Any) -> _Input:
    """Rounded before they are padded, values are moved as bytes."""
    pad = convolution.input_value(0).get_node()
    repeats = pad.get_type_name() == "Pad" and pad.get_attributes()["pad_mode"] != "constant"
    only_reader = len(convolution.input_value(0).get_target_inputs()) == 1
    return pad.input(0) if repeats and only_reader else convolution.input(0)
