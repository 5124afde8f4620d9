"""A style as a file: safetensors with the weights as float16 and its story as metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vidstyle.core.errors import WeightsError
from vidstyle.models import safetensors_file

if TYPE_CHECKING:
    import torch

    from vidstyle.models.johnson import TransformerNet

FORMAT = "1"
"""Version of the layout, stored as ``vidstyle.format``."""
ARCHITECTURE = "johnson"
"""``vidstyle.models.johnson.TransformerNet``."""
SUFFIX = ".safetensors"
_PREFIX = "vidstyle."
_WIDEST = 128


@dataclass(frozen=True)
class Credit:
    """What a style was painted after."""

    title: str = ""
    """Of the style, for people: ``The Great Wave``."""
    painting: str = ""
    """Artist, title and year."""
    licence: str = ""
    """Of the painting: ``public domain``."""


@dataclass(frozen=True)
class StyleInfo:
    """What a style file says about itself."""

    name: str
    """Lower case, as in pipelines: ``great-wave``."""
    credit: Credit
    architecture: str
    width: int
    """Channels of the network at full size."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The training's settings."""
    losses: Mapping[str, float] = field(default_factory=dict)
    """Measured on photos that were held out of the training; style and variation are ratios
    to the untouched photos'."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        object.__setattr__(self, "losses", MappingProxyType(dict(self.losses)))


@dataclass(frozen=True)
class Style:
    """A style ready to paint."""

    info: StyleInfo
    module: TransformerNet
    """In eval mode, float32, on the CPU; ``johnson.paint`` takes pictures of any size."""


def read_style_info(path: Path) -> StyleInfo:
    """What a style file says about itself, read from its header without importing torch.

    Raises WeightsError where the file is missing, damaged, not a style or of an unknown
    version or architecture.
    """
    metadata = safetensors_file.read_metadata(path)
    values = {key.removeprefix(_PREFIX): value for key, value in metadata.items()}
    if f"{_PREFIX}format" not in metadata:
        raise WeightsError(f"{path} is not a style of vidstyle: its header names no format")
    if values["format"] != FORMAT:
        raise WeightsError(
            f"{path} has format {values['format']}, and this version reads {FORMAT}: "
            "update vidstyle"
        )
    if (architecture := values.get("architecture")) != ARCHITECTURE:
        raise WeightsError(f"{path} has architecture {architecture}; known: {ARCHITECTURE}")
    return _parse(path, values)


def load_style(path: Path) -> Style:
    """The style of a file, ready to paint.

    Raises WeightsError as ``read_style_info`` does, and where weights are missing, too many,
    of another shape or not finite.
    """
    from vidstyle.models.johnson import TransformerNet

    info = read_style_info(path)
    tensors = safetensors_file.read_tensors(path)
    module = TransformerNet(info.width)
    wanted = module.state_dict()
    safetensors_file.check_keys(path, tensors, wanted)
    for key, tensor in tensors.items():
        if tensor.shape != wanted[key].shape:
            raise WeightsError(
                f"{path}: {key} is {tuple(tensor.shape)}; wanted {tuple(wanted[key].shape)}"
            )
        if not tensor.isfinite().all():
            raise WeightsError(f"{path}: {key} has values that are not finite: train it again")
    module.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    return Style(info, module.requires_grad_(False).eval())


def save_style(path: Path, info: StyleInfo, module: TransformerNet) -> None:
    """Write a style, whole or not at all.

    Raises ValueError for weights beyond float16, and OutputError where the folder cannot be
    written.
    """
    tensors = stored_weights(module)
    if beyond := [key for key, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"not finite as float16: {', '.join(beyond)}")
    values = {
        "format": FORMAT,
        "architecture": info.architecture,
        "width": str(info.width),
        "name": info.name,
        "title": info.credit.title,
        "painting": info.credit.painting,
        "painting_licence": info.credit.licence,
        "settings": json.dumps(dict(info.settings)),
        "losses": json.dumps(dict(info.losses)),
    }
    metadata = {f"{_PREFIX}{key}": value for key, value in values.items()}
    safetensors_file.write(path, tensors, metadata)


def stored_weights(module: TransformerNet) -> dict[str, torch.Tensor]:
    """The weights as a style file holds them: float16."""
    return {key: tensor.detach().half() for key, tensor in module.state_dict().items()}


def _parse(path: Path, values: Mapping[str, str]) -> StyleInfo:
    try:
        info = StyleInfo(
            name=values["name"],
            credit=Credit(values["title"], values["painting"], values["painting_licence"]),
            architecture=values["architecture"],
            width=int(values["width"]),
            settings=dict(json.loads(values["settings"])),
            losses={key: float(loss) for key, loss in json.loads(values["losses"]).items()},
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is damaged: its header has no valid {error}") from error
    # A width from an untrusted header decides how much memory the network takes.
    if not 1 <= info.width <= _WIDEST:
        raise WeightsError(f"{path} has width {info.width}; wanted 1 to {_WIDEST}")
    return info
