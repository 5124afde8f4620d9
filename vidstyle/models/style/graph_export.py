"""Style networks as ONNX: the graph that is stored with a style, and files for other programs.

The graph is exported from the torch module, which is the only description of a network. It is
independent of the weights: these are inputs of the graph, by their names in the state dict, so
that a style file holds them once, and mixes of styles use the graph of one of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from vidstyle import __version__
from vidstyle.core.errors import OutputError
from vidstyle.models.style.architectures import SMALLEST_SIDE, ArchitectureName, empty_network
from vidstyle.models.style.network import StyleNetwork
from vidstyle.models.weights.safetensors_file import replace_file

if TYPE_CHECKING:
    import onnx

    from vidstyle.models.style.style_file import Style

INPUT, OUTPUT = "image", "style_image"
"""The names of the images in a graph."""
_AXES = ("batch", "channels", "height", "width")


@cache
def export_graph(architecture: ArchitectureName, width: int) -> bytes:
    """Export a network as an ONNX graph without weights.

    It maps ``image`` to ``style_image``, both (N, 3, H, W) float32, RGB in [0, 1]. N, H and W are
    free, sides from ``SMALLEST_SIDE`` on: padding and cropping are inside, and the result is that
    of ``network.stylize``. Each weight is an input, by its name in the state dict.

    Args:
        architecture: A key of ``ARCHITECTURES``.
        width: Channels of the network's finest layers.

    Returns:
        The serialized model, some 20 kB; the same bytes for the same network.
    """
    network = empty_network(architecture, width).eval()
    weights = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    free = torch.export.Dim.DYNAMIC
    # Odd sides, and none the same: torch takes equal ones, and 1, for fixed.
    example = torch.zeros(2, 3, 2 * SMALLEST_SIDE + 5, 2 * SMALLEST_SIDE + 10)
    with warnings.catch_warnings():
        # The exporter's own parts warn each other of what is to change in their next versions.
        warnings.filterwarnings("ignore", module=r"(torch|onnxscript|onnx_ir|copyreg)\b")
        program = torch.onnx.export(
            _AnySize(network, list(weights)).eval(),
            (example, list(weights.values())),
            input_names=[INPUT, *weights],
            output_names=[OUTPUT],
            dynamic_shapes=({0: free, 2: free, 3: free}, [None] * len(weights)),
            dynamo=True,
            verbose=False,
        )
    model = cast("onnx.ModelProto", cast("Any", program).model_proto)
    _strip(model)
    return cast("bytes", model.SerializeToString(deterministic=True))


def write_onnx(style: Style, path: Path) -> None:
    """Write a style as an ONNX file for other programs, whole or not at all.

    The file has the graph of ``export_graph`` with the weights inside. Its properties carry the
    style's name, credit and license.

    Args:
        style: From ``load_style``.
        path: The file to write.

    Raises:
        OutputError: The file cannot be written.
    """
    import onnx

    model = onnx.load_model_from_string(export_graph(style.info.architecture, style.info.width))
    _insert_weights(model, style.module.state_dict())
    _describe(model, style)
    onnx.checker.check_model(model, full_check=True)
    try:
        replace_file(path, model.SerializeToString())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


class _AnySize(nn.Module):
    """``network.stylize`` with sides that are symbols, and with the weights as an argument."""

    def __init__(self, network: StyleNetwork, names: list[str]) -> None:
        super().__init__()
        # In a list, since the weights of a module's parts would become part of the graph.
        self._hidden = [network]
        self._names = names

    def forward(self, image: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
        [network] = self._hidden
        multiple = network.multiple
        height, width = image.shape[2:]
        # Rounds up without a negative number, whose quotient ONNX rounds the other way.
        below, right = (
            (side + multiple - 1) // multiple * multiple - side for side in (height, width)
        )
        extended = functional.pad(image, (0, right, 0, below), mode="reflect")
        named = dict(zip(self._names, weights, strict=True))
        stylized = cast("torch.Tensor", functional_call(network, named, (extended,)))
        return stylized[:, :, :height, :width]


def _strip(model: onnx.ModelProto) -> None:
    """Remove what names folders of this machine, and name free sides by their meaning."""
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("name")
    model.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    for value in (model.graph.input[0], *model.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES, strict=True):
            if axis.HasField("dim_param"):
                axis.dim_param = name
    for value in (*model.graph.input, *model.graph.output):
        value.ClearField("metadata_props")
    model.producer_name, model.producer_version = "vidstyle", __version__


def _insert_weights(model: onnx.ModelProto, weights: Mapping[str, torch.Tensor]) -> None:
    from onnx import numpy_helper

    images = [value for value in model.graph.input if value.name == INPUT]
    del model.graph.input[:]
    model.graph.input.extend(images)
    model.graph.initializer.extend(
        numpy_helper.from_array(value.numpy(), name) for name, value in weights.items()
    )


def _describe(model: onnx.ModelProto, style: Style) -> None:
    import onnx

    info = style.info
    model.doc_string = (
        f"{INPUT}: (N, 3, H, W) float32, RGB in [0, 1]; any H and W from {SMALLEST_SIDE} on. "
        f"{OUTPUT}: the same."
    )
    properties = {
        "name": info.name,
        "title": info.credit.title,
        "style_image": info.credit.style_image,
        "license": info.credit.license,
        "architecture": f"{info.architecture}-{info.width}",
        "smallest_side": str(SMALLEST_SIDE),
    }
    onnx.helper.set_model_props(model, properties)
