"""Reading the ONNX graph of an image network, which may come from anywhere, for OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vidstyle.core import HostArray
from vidstyle.models.openvino.runtime import op, ov, shared_core

INPUT, OUTPUT = "image", "style_image"
"""The names of the images in a graph; all other inputs are weights."""

_LARGEST_GRAPH = 1 << 18
_MOST_NODES = 4000
# What networks of styles are made of, and arithmetic on sides. No loops, no other graphs.
_OPERATIONS = frozenset(
    (
        *("Parameter", "Constant", "Result", "Convert"),
        *("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MVN"),
        *("GroupConvolutionBackpropData", "Pad", "Interpolate", "DepthToSpace", "SpaceToDepth"),
        *(
            "Transpose",
            "Reshape",
            "Slice",
            "StridedSlice",
            "Concat",
            "Split",
            "VariadicSplit",
            "Gather",
        ),
        *("Squeeze", "Unsqueeze", "ShapeOf", "Broadcast"),
        *("Add", "Subtract", "Multiply", "Divide", "Power", "Sqrt", "Exp", "Abs", "Negative"),
        *("Maximum", "Minimum", "Clamp", "Relu", "PRelu", "Sigmoid", "Tanh", "Elu", "Gelu"),
        *("ReduceMean", "ReduceSum", "ReduceL2", "Floor", "FloorMod", "Mod"),
    )
)


def read_graph(graph: bytes) -> ov.Model:
    """Read an ONNX graph that maps ``image`` to ``style_image``, both (N, 3, H, W) float32.

    Args:
        graph: A serialized ONNX model whose other inputs are its weights.

    Returns:
        A new model with free sides, and its weights as parameters.

    Raises:
        ValueError: It is damaged or too large, it reads other files, or it has operations that
            image networks do not need.
    """
    if len(graph) > _LARGEST_GRAPH:
        raise ValueError(f"its graph has {len(graph)} bytes; at most {_LARGEST_GRAPH} are read")
    # Under this key, and no other, ONNX has the names of files with further data.
    if b"location" in graph:
        raise ValueError("its graph reads another file")
    try:
        model = shared_core().read_model(graph)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1][:200]
        raise ValueError(f"its graph cannot be read ({reason})") from error
    _check(model)
    return model


def weight_shapes(model: ov.Model) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes of a graph's weights.

    Args:
        model: From ``read_graph``.

    Returns:
        Shapes by name.
    """
    return {
        name: tuple(parameter.get_output_shape(0))
        for parameter in model.get_parameters()
        if (name := parameter.get_friendly_name()) != INPUT
    }


def fix_weights(model: ov.Model, arrays: Mapping[str, HostArray]) -> None:
    """Replace the parameters of a graph by constant weights, in place.

    Args:
        model: Of ``read_graph``.
        arrays: Float32, for each of ``weight_shapes``, in these shapes.
    """
    for parameter in model.get_parameters():
        if (name := parameter.get_friendly_name()) != INPUT:
            parameter.output(0).replace(op.constant(arrays[name], np.float32).output(0))
            model.remove_parameter(parameter)


def fix_size(model: ov.Model, height: int, width: int) -> ov.Model:
    """Fix the sides of a graph, for one image (1, height, width, 3) in and out.

    Args:
        model: From ``read_graph``; it is changed.
        height: In pixels.
        width: In pixels.

    Returns:
        The model with the image's layout.
    """
    model.reshape({INPUT: [1, 3, height, width]})
    steps = ov.preprocess.PrePostProcessor(model)
    for part in (steps.input(INPUT), steps.output()):
        part.tensor().set_layout(ov.Layout("NHWC"))
        part.model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def _check(model: ov.Model) -> None:
    nodes = model.get_ordered_ops()
    if len(nodes) > _MOST_NODES:
        raise ValueError(f"its graph has {len(nodes)} nodes; at most {_MOST_NODES} are read")
    if foreign := {node.get_type_name() for node in nodes} - _OPERATIONS:
        raise ValueError(f"its graph has operations of no image network: {', '.join(foreign)}")
    images = [p for p in model.get_parameters() if p.get_friendly_name() == INPUT]
    if len(images) != 1 or len(model.outputs) != 1:
        raise ValueError(f"its graph does not map one {INPUT} to one image")
    for output in (images[0].output(0), model.output(0)):
        shape = output.get_partial_shape()
        if shape.rank.is_dynamic or len(shape) != 4 or str(shape[1]) != "3":
            raise ValueError(f"its graph has images {shape}; wanted (N, 3, H, W)")
    for parameter in model.get_parameters():
        dynamic = parameter.get_output_partial_shape(0).is_dynamic
        if dynamic and parameter.get_friendly_name() != INPUT:
            raise ValueError(f"its graph has no shape for {parameter.get_friendly_name()}")
