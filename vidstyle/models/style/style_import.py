"""Styles from other projects: their weights become a style of ours with the same results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from vidstyle.core.errors import WeightsError
from vidstyle.core.paths import is_file
from vidstyle.models.style.fast_neural_style import LAYOUT, Channels, convert_weights, recognize
from vidstyle.models.style.fast_style_transfer import (
    NUMBERED_LAYOUT,
    convert_numbered_weights,
    has_numbered_weights,
    numbered_keys,
)
from vidstyle.models.style.network import StyleNetwork
from vidstyle.models.style.style_file import (
    Credit,
    Style,
    StyleInfo,
    read_style_info,
    stored_weights,
)
from vidstyle.models.weights import safetensors_file, torch_file

_WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "transformer")
"""Under these names checkpoints keep the weights, beside an optimizer's state and the like."""
_PREFIXES = ("module.", "_orig_mod.", *(f"{name}." for name in _WRAPPERS[2:]))
"""Put before every key by torch's DataParallel and compiler, and by what has the network as a part;
in any order."""
_LONGEST = 80


@dataclass(frozen=True)
class ImportedStyle:
    """A style of another project, ready for use and to be saved."""

    style: Style
    recognized: str
    """The layout that its file had, in words for people."""
    ignored: tuple[str, ...]
    """What was passed over or assumed, each in words for people."""


def import_style(
    path: Path, *, name: str, credit: Credit, channels: Channels | None = None
) -> ImportedStyle:
    """Import the style of a checkpoint of another project.

    Layouts are recognized by their keys: pytorch/examples fast_neural_style, old or new, and
    lengstrom's fast-style-transfer.

    Nothing in the file is run.

    Args:
        path: A file of torch, of any vintage, or safetensors with the same keys: the weights
            themselves, or a checkpoint that has them.
        name: Of the style.
        credit: Title, artist and license of the style image.
        channels: Order of the channels that a network of fast_neural_style was trained on; None for
            that of its vintage. Those of the other layout take RGB.

    Returns:
        The style, and the keys that were passed over.

    Raises:
        WeightsError: The file is missing or damaged, holds code, or is a style of ours; or its
            weights are of another layout, not finite, or beyond float16.
    """
    tensors, ignored = _read(path)
    found = _converted(path, tensors, channels)
    if beyond := [key for key, v in stored_weights(found.module).items() if not v.isfinite().all()]:
        raise WeightsError(f"{path}: {found.keys[beyond[0]]} is too large for a style's float16")
    info = StyleInfo(
        name=name,
        credit=credit,
        architecture=found.module.architecture,
        width=found.module.width,
        settings={"imported_from": found.layout, "file": path.name},
    )
    return ImportedStyle(Style(info, found.module), found.recognized, (*ignored, *found.ignored))


@dataclass(frozen=True)
class _Converted:
    module: StyleNetwork
    layout: str
    recognized: str
    keys: Mapping[str, str]
    """The layout's keys, by those of the network."""
    ignored: tuple[str, ...] = ()


def _converted(
    path: Path, tensors: Mapping[str, torch.Tensor], channels: Channels | None
) -> _Converted:
    if not has_numbered_weights(tensors):
        found = recognize(path, tensors, channels)
        module = convert_weights(path, found)
        return _Converted(module, LAYOUT, str(found), found.keys, found.ignored)
    if channels == "bgr":
        raise WeightsError(f"{path} is of {NUMBERED_LAYOUT}, which takes RGB: leave out --channels")
    module = convert_numbered_weights(path, tensors)
    recognized = f"{NUMBERED_LAYOUT}, {module.width} channels"
    return _Converted(module, NUMBERED_LAYOUT, recognized, numbered_keys())


def _read(path: Path) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """Tensors by name, and what else there was."""
    if is_file(path) and _is_safetensors(path):
        if "vidstyle" in safetensors_file.read_metadata(path):
            name = read_style_info(path).name
            raise WeightsError(
                f"{path} is a style of vidstyle already ({name}): use it by its path, or put it "
                "into the folder styles of VIDSTYLE_WEIGHTS"
            )
        content: object = safetensors_file.read_tensors(path)
    else:
        content = torch_file.read_content(path)
    weights, ignored = _unwrapped(path, content)
    return _without_prefixes(weights), ignored


def _is_safetensors(path: Path) -> bool:
    """Whether JSON begins after the first eight bytes; files of torch have other bytes there."""
    if path.suffix == ".safetensors":
        return True
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _unwrapped(path: Path, content: object) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    ignored: tuple[str, ...] = ()
    if isinstance(content, Mapping):
        name = next((name for name in _WRAPPERS if isinstance(content.get(name), Mapping)), None)
        if name is not None:
            others = sorted(str(key)[:_LONGEST] for key in content if key != name)
            ignored = (f"{', '.join(others)}: not used",) if others else ()
            content = content[name]
    if not isinstance(content, Mapping) or not all(map(_is_name, content)):
        raise WeightsError(
            f"{path} holds no weights by name but a value of type {type(content).__name__}"
        )
    return {key: _plain(path, key, value) for key, value in content.items()}, ignored


def _is_name(key: object) -> bool:
    """And fit to be shown."""
    return isinstance(key, str) and len(key) <= _LONGEST and key.isprintable()


def _plain(path: Path, key: str, value: object) -> torch.Tensor:
    if (
        not isinstance(value, torch.Tensor)
        or value.layout != torch.strided
        or value.device.type != "cpu"
    ):
        raise WeightsError(f"{path}: {key} is not a plain array of numbers")
    return value


def _without_prefixes(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    while tensors:
        first = next(iter(tensors))
        prefix = next((prefix for prefix in _PREFIXES if first.startswith(prefix)), None)
        if prefix is None or not all(key.startswith(prefix) for key in tensors):
            break
        tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return tensors
