"""Styles for other programs: a style's network as an ONNX file."""

from __future__ import annotations

import os
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.nn import functional

from vidstyle import __version__
from vidstyle.core.errors import OutputError, UsageError
from vidstyle.models.style.network import StyleNetwork
from vidstyle.models.style.style_file import Style

if TYPE_CHECKING:
    import onnx

INPUT, OUTPUT = "image", "style_image"
"""The names that the graph has for them."""
_AXES = ("batch", "channels", "height", "width")
_NEEDED = ("onnx", "onnxscript")


def smallest_side(network: StyleNetwork) -> int:
    """Pixels that each side of an image has at least, where an exported network paints it."""
    return network.smallest


def check_can_export() -> None:
    """Raise UsageError, with what to install, where the packages for ONNX are not there."""
    if absent := [package for package in _NEEDED if find_spec(package) is None]:
        raise UsageError(
            f"to export styles, {' and '.join(absent)} must be installed: "
            "pip install 'vidstyle[onnx]'"
        )


def export_onnx(style: Style, path: Path) -> None:
    """Write the style as an ONNX file, whole or not at all.

    The graph takes ``image`` and gives ``painting``, both (N, 3, H, W) float32, RGB in [0, 1].
    N, H and W are free, and of any value from ``smallest_side`` on: padding and cropping
    are inside, and the painting is that of ``network.paint``. The file's properties
    carry the style's name, credit and license.

    Raises UsageError where the packages for ONNX are missing, and OutputError where the file
    cannot be written.
    """
    check_can_export()
    model = _model(style.module)
    _describe(model, style)
    _write(path, model.SerializeToString())


class _AnySize(nn.Module):
    """``network.paint`` with sides that are symbols: it asks nothing of them."""

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        multiple = self.network.multiple
        height, width = image.shape[2:]
        # Rounds up without a negative number, whose quotient ONNX rounds the other way.
        below, right = (
            (side + multiple - 1) // multiple * multiple - side for side in (height, width)
        )
        extended = functional.pad(image, (0, right, 0, below), mode="reflect")
        stylized = cast("torch.Tensor", self.network(extended))
        return stylized[:, :, :height, :width]


def _model(network: StyleNetwork) -> onnx.ModelProto:
    free = torch.export.Dim.DYNAMIC
    # Odd sides, and none the same: torch takes equal ones, and 1, for fixed.
    side = smallest_side(network)
    example = torch.zeros(2, 3, 2 * side + 5, 2 * side + 10)
    with warnings.catch_warnings():
        # The exporter's own parts warn each other of what is to go in the next version.
        warnings.filterwarnings("ignore", module=r"(torch|onnxscript|onnx_ir|copyreg)\b")
        program = torch.onnx.export(
            _AnySize(network).eval(),
            (example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: free, 2: free, 3: free},),
            dynamo=True,
            verbose=False,
        )
    return cast("onnx.ModelProto", cast("Any", program).model_proto)


def _describe(model: onnx.ModelProto, style: Style) -> None:
    import onnx

    info, side = style.info, smallest_side(style.module)
    model.producer_name, model.producer_version = "vidstyle", __version__
    model.doc_string = (
        f"{INPUT}: (N, 3, H, W) float32, RGB in [0, 1]; any H and W from {side} on. "
        f"{OUTPUT}: the same."
    )
    properties = {
        "name": info.name,
        "title": info.credit.title,
        "style_image": info.credit.style_image,
        "license": info.credit.license,
        "architecture": f"{info.architecture}-{info.width}",
        "smallest_side": str(side),
    }
    onnx.helper.set_model_props(model, properties)
    _name_axes(model)
    # They tell of the folders of this machine.
    for node in model.graph.node:
        node.ClearField("metadata_props")
    onnx.checker.check_model(model, full_check=True)


def _name_axes(model: onnx.ModelProto) -> None:
    """Free sides by their meaning, in place of the exporter's symbols."""
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES, strict=True):
            if axis.HasField("dim_param"):
                axis.dim_param = name
    model.graph.ClearField("value_info")


def _write(path: Path, content: bytes) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            part = Path(folder) / path.name
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
