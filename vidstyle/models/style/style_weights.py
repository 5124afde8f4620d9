"""A style file without torch: its graph, its weights as numpy arrays, and mixes of them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from safetensors import deserialize, safe_open

from vidstyle.core import HostArray
from vidstyle.core.errors import WeightsError
from vidstyle.models.openvino.graph import read_graph, weight_shapes
from vidstyle.models.openvino.quantization import Ranges, range_shapes
from vidstyle.models.style.style_file import GRAPH, RANGES, StyleInfo, read_style_info
from vidstyle.models.weights import safetensors_file

_KINDS = ("F16", "BF16", "F32")


@dataclass(frozen=True)
class StyleWeights:
    """What a network of a style is made of, for who runs it without torch."""

    info: StyleInfo
    graph: bytes
    """ONNX, as ``graph_export.export_graph`` makes it."""
    arrays: Mapping[str, HostArray]
    """Float32, by the names of the graph's weights and of the network's state dict."""
    ranges: Ranges = field(default_factory=dict)
    """What its convolutions read on photos, for 8 bits; none for a mix, and where unknown."""

    def __post_init__(self) -> None:
        for name in ("arrays", "ranges"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __repr__(self) -> str:
        return f"StyleWeights({self.info.name}, {len(self.arrays)} arrays)"


def read_style_graph(path: Path) -> bytes:
    """Read the ONNX graph of a style file; of the rest, only what it says about itself.

    Args:
        path: A style file.

    Returns:
        The serialized ONNX model.

    Raises:
        WeightsError: The file is missing, damaged or no style, or has no graph.
    """
    read_style_info(path)
    with safe_open(path, framework="numpy") as file:
        header = file.get_slice(GRAPH) if GRAPH in file.keys() else None  # noqa: SIM118  # no mapping
        if header is None or header.get_dtype() != "U8":
            raise WeightsError(f"{path} has no graph of its network: train or import it again")
        return bytes(file.get_tensor(GRAPH))


def load_style_weights(path: Path) -> StyleWeights:
    """Load the graph of a style file, and its weights in float32.

    Args:
        path: A style file.

    Returns:
        The graph and its weights, and the ranges that it has.

    Raises:
        WeightsError: As ``style_file.load_style`` does, and where the graph cannot be used. Nothing
            is read of a file whose header promises another layout.
    """
    info = read_style_info(path)
    graph = read_style_graph(path)
    try:
        model = read_graph(graph)
    except ValueError as error:
        raise WeightsError(f"{path} is damaged: {error}") from error
    optional = {RANGES + name: shape for name, shape in range_shapes(model).items()}
    shapes = {**weight_shapes(model), **optional}
    kinds = _checked_kinds(path, shapes, optional)
    # What is in the header has been found to be there, and to be all.
    stored = dict(deserialize(path.read_bytes()))  # type: ignore[no-untyped-call]  # it has no types
    arrays = {
        key: _as_float32(stored[key]["data"], kind).reshape(shapes[key])
        for key, kind in kinds.items()
    }
    for key, array in arrays.items():
        if not np.isfinite(array).all():
            raise WeightsError(f"{path}: {key} has values that are not finite: train it again")
    ranges = {key: arrays.pop(key) for key in optional if key in arrays}
    for key, (least, largest, mean) in ranges.items():
        if not ((least <= mean) & (mean <= largest)).all():
            raise WeightsError(f"{path} is damaged: {key} holds no ranges")
    named = {key.removeprefix(RANGES): array for key, array in ranges.items()}
    return StyleWeights(info, graph, arrays, named)


def mix_weights(styles: Mapping[str, StyleWeights], mix: Mapping[str, float]) -> StyleWeights:
    """Interpolate the weights of several styles.

    Each weight is the mean of theirs, as ``mix`` weighs them. It gives a style in between where the
    networks were trained from one common start, as those that vidstyle trains by one setting and
    seed are. Networks of different starts have their features in different orders, and the middle
    of two is mud.

    Args:
        styles: Alike as ``check_alike`` has it.
        mix: By name; sums to 1.

    Returns:
        The graph of the styles, with the mean weights.

    References:
        Wang et al. 2019, Deep Network Interpolation for Continuous Imagery Effect Transition.
    """
    used = {name: weight for name, weight in mix.items() if weight}
    first = styles[next(iter(used))]
    if len(used) == 1:
        return first
    arrays = {
        key: np.asarray(sum(styles[name].arrays[key] * weight for name, weight in used.items()))
        for key in first.arrays
    }
    return replace(first, arrays=arrays, ranges={})


def check_alike(infos: Mapping[str, StyleInfo]) -> None:
    """Check that styles are of one architecture and width.

    Args:
        infos: By the styles' names.

    Raises:
        WeightsError: Two differ; the message names both.
    """
    (first, wanted), *others = infos.items()
    for name, info in others:
        if (info.architecture, info.width) != (wanted.architecture, wanted.width):
            raise WeightsError(
                f"styles of one mix have one architecture and width: {first} is {_form(wanted)},"
                f" {name} is {_form(info)}; choose others, or train one of them again"
            )


def _form(info: StyleInfo) -> str:
    return f"{info.architecture} with {info.width} channels"


def _checked_kinds(
    path: Path, known: Mapping[str, tuple[int, ...]], optional: Container[str]
) -> Mapping[str, str]:
    """The type of each array, from the header."""
    with safe_open(path, framework="numpy") as file:
        headers = {key: file.get_slice(key) for key in file.keys() if key != GRAPH}  # noqa: SIM118  # no mapping
        shapes = {key: tuple(header.get_shape()) for key, header in headers.items()}
        kinds = {key: header.get_dtype() for key, header in headers.items()}
    wanted = {key: shape for key, shape in known.items() if key in shapes or key not in optional}
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
