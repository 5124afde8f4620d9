"""The weights of a style file as numpy arrays, read and checked without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from safetensors import deserialize, safe_open

from vidstyle.core import HostArray
from vidstyle.core.errors import WeightsError
from vidstyle.models.style.style_file import StyleInfo, read_style_info
from vidstyle.models.style.weight_shapes import Shape, weight_shapes
from vidstyle.models.weights import safetensors_file

_KINDS = ("F16", "BF16", "F32")


@dataclass(frozen=True)
class StyleWeights:
    """What a network of a style is made of, for who builds it without torch."""

    info: StyleInfo
    arrays: Mapping[str, HostArray]
    """By the names of the network's state dict, shaped as ``weight_shapes`` has them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))

    def __repr__(self) -> str:
        return f"StyleWeights({self.info.name}, {len(self.arrays)} arrays)"


def load_style_weights(path: Path) -> StyleWeights:
    """The weights of a style file, in float32.

    Raises WeightsError as ``style_file.load_style`` does. Nothing is read of a file whose header
    promises another layout.
    """
    info = read_style_info(path)
    wanted = weight_shapes(info.architecture, info.width)
    kinds = _checked_kinds(path, wanted)
    # What is in the header has been found to be there, and to be all.
    stored = dict(deserialize(path.read_bytes()))  # type: ignore[no-untyped-call]  # it has no types
    arrays = {
        key: _as_float32(stored[key]["data"], kind).reshape(wanted[key])
        for key, kind in kinds.items()
    }
    for key, array in arrays.items():
        if not np.isfinite(array).all():
            raise WeightsError(f"{path}: {key} has values that are not finite: train it again")
    return StyleWeights(info, arrays)


def _checked_kinds(path: Path, wanted: Mapping[str, Shape]) -> Mapping[str, str]:
    """The type of each array, by what the header says of it."""
    with safe_open(path, framework="numpy") as file:
        headers = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118  # no mapping
        shapes = {key: tuple(header.get_shape()) for key, header in headers.items()}
        kinds = {key: header.get_dtype() for key, header in headers.items()}
    safetensors_file.check_keys(path, shapes, wanted)
    for key, shape in shapes.items():
        if shape != wanted[key]:
            raise WeightsError(f"{path}: {key} is {shape}; wanted {wanted[key]}")
        if kinds[key] not in _KINDS:
            raise WeightsError(f"{path}: {key} holds {kinds[key]}; wanted 16 or 32 bit floats")
    return kinds


def _as_float32(data: bytes, kind: str) -> HostArray:
    if kind == "BF16":
        # The upper half of a float32.
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, "<f2" if kind == "F16" else "<f4").astype(np.float32)
