"""A style as a file: safetensors with the weights as float16, their graph, and metadata.

Where they are known, ranges for convolutions in 8 bits stand beside the weights.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vidstyle.core import HostArray
from vidstyle.core.errors import WeightsError
from vidstyle.models.style.architectures import ARCHITECTURES, ArchitectureName
from vidstyle.models.weights import safetensors_file

if TYPE_CHECKING:
    import torch

    from vidstyle.models.style.network import StyleNetwork

FORMAT = 2
"""Version of the layout."""
GRAPH = "graph.onnx"
"""The array of bytes that holds the network's graph; the others are its weights and ranges."""
RANGES = "ranges."
"""Begins the names of ranges (``openvino.quantization``), before that of the weights."""
SUFFIX = ".safetensors"
# One entry of JSON: safetensors writes several in an order that changes from run to run, and
# the same training is to give the same file.
_KEY = "vidstyle"
_WIDEST = 128


@dataclass(frozen=True)
class Credit:
    """The style image that a style was made from."""

    title: str = ""
    """Of the style, for people: ``The Great Wave``."""
    style_image: str = ""
    """Artist, title and year."""
    license: str = ""
    """Of the style image: ``public domain``."""


@dataclass(frozen=True)
class StyleInfo:
    """What a style file says about itself."""

    name: str
    """Lower case, as in pipelines: ``great-wave``."""
    credit: Credit
    architecture: ArchitectureName
    width: int
    """Channels of the network's finest layers."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The training's settings."""
    losses: Mapping[str, float] = field(default_factory=dict)
    """Measured on photos that were held out of the training; style and variation are ratios
    to the untouched photos'."""
    int8_error: float | None = None
    """Mean difference that convolutions in 8 bits make to images in [0, 1], on photos on which the
    ranges were not measured; None without ranges."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        object.__setattr__(self, "losses", MappingProxyType(dict(self.losses)))


@dataclass(frozen=True)
class Style:
    """A style and its network in torch."""

    info: StyleInfo
    module: StyleNetwork
    """In eval mode, float32, on the CPU; ``network.stylize`` takes images of any size."""


def read_style_info(path: Path) -> StyleInfo:
    """Read what a style file says about itself, from its header and without torch.

    Args:
        path: A style file.

    Returns:
        What its header states.

    Raises:
        WeightsError: The file is missing, damaged, not a style, or of an unknown version or
            architecture.
    """
    metadata = safetensors_file.read_metadata(path)
    if _KEY not in metadata:
        raise WeightsError(
            f"{path} is not a style of vidstyle: its header does not say so; where another project"
            f" trained it, import it by `vidstyle styles import {shlex.quote(str(path))}"
            f" -o NAME{SUFFIX}`"
        )
    return _parse(path, metadata[_KEY])


def load_style(path: Path) -> Style:
    """Load the style of a file into torch.

    Args:
        path: A style file.

    Returns:
        The style, its network on the CPU in eval mode.

    Raises:
        WeightsError: As ``read_style_info`` does, and where weights are missing, too many, of
            another shape or not finite.
    """
    import torch

    from vidstyle.models.style.architectures import empty_network

    info = read_style_info(path)
    tensors = safetensors_file.read_tensors(path)
    tensors = {k: v for k, v in tensors.items() if k != GRAPH and not k.startswith(RANGES)}
    module = empty_network(info.architecture, info.width)
    wanted = module.state_dict()
    safetensors_file.check_keys(path, tensors, wanted)
    for key, tensor in tensors.items():
        if tensor.shape != wanted[key].shape:
            raise WeightsError(
                f"{path}: {key} is {tuple(tensor.shape)}; wanted {tuple(wanted[key].shape)}"
            )
        if tensor.dtype not in (torch.float16, torch.bfloat16, torch.float32):
            raise WeightsError(f"{path}: {key} holds {tensor.dtype}; wanted 16 or 32 bit floats")
        if not tensor.isfinite().all():
            raise WeightsError(f"{path}: {key} has values that are not finite: train it again")
    module.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    return Style(info, module.requires_grad_(False).eval())


def save_style(
    path: Path, info: StyleInfo, module: StyleNetwork, ranges: Mapping[str, HostArray] | None = None
) -> None:
    """Write a style with the graph of its network, whole or not at all.

    The first style of an architecture and width takes some seconds more, to export the graph.

    Args:
        path: The file to write.
        info: What it says about itself.
        module: The network, on any device.
        ranges: For 8 bits, as ``style.eight_bits`` measures them.

    Raises:
        ValueError: Weights or ranges are beyond float16.
        OutputError: The folder cannot be written.
    """
    import torch

    from vidstyle.models.style.graph_export import export_graph

    tensors = stored_weights(module)
    for name, values in (ranges or {}).items():
        tensors[RANGES + name] = torch.from_numpy(values).half()
    if beyond := [key for key, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"not finite as float16: {', '.join(beyond)}")
    graph = bytearray(export_graph(info.architecture, info.width))
    tensors[GRAPH] = torch.frombuffer(graph, dtype=torch.uint8)
    header = {
        "format": FORMAT,
        "architecture": info.architecture,
        "width": info.width,
        "name": info.name,
        "title": info.credit.title,
        "style_image": info.credit.style_image,
        "style_image_license": info.credit.license,
        "settings": dict(info.settings),
        "losses": dict(info.losses),
        "int8_error": info.int8_error,
    }
    safetensors_file.write(path, tensors, {_KEY: json.dumps(header)})


def stored_weights(module: StyleNetwork) -> dict[str, torch.Tensor]:
    """Return the weights as a style file holds them.

    Args:
        module: The network, on any device.

    Returns:
        float16 by key.
    """
    return {key: tensor.detach().half() for key, tensor in module.state_dict().items()}


class _Header(BaseModel):
    """The header as it is stored; a style file may come from anywhere."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    format: int
    architecture: ArchitectureName
    # The width decides how much memory the network takes.
    width: int = Field(ge=1, le=_WIDEST)
    name: str
    title: str
    style_image: str
    style_image_license: str
    settings: dict[str, Any]
    losses: dict[str, float]
    int8_error: float | None = Field(None, ge=0)


def _parse(path: Path, text: str) -> StyleInfo:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is damaged: its header is not JSON ({error})") from error
    found = header if isinstance(header, dict) else {}
    if found.get("format") != FORMAT:
        raise WeightsError(
            f"{path} has format {found.get('format')}; this version of vidstyle reads {FORMAT}"
        )
    if found.get("architecture") not in ARCHITECTURES:
        raise WeightsError(
            f"{path} has architecture {str(found.get('architecture'))[:40]!r}; "
            f"known: {', '.join(ARCHITECTURES)}"
        )
    try:
        valid = _Header.model_validate(header)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WeightsError(f"{path} is damaged: in its header, {where}: {first['msg']}") from error
    return StyleInfo(
        name=valid.name,
        credit=Credit(valid.title, valid.style_image, valid.style_image_license),
        architecture=valid.architecture,
        width=valid.width,
        settings=valid.settings,
        losses=valid.losses,
        int8_error=valid.int8_error,
    )
