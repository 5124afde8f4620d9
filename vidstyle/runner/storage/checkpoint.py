"""What a run needs to resume at a frame, as bytes: arrays and JSON, never pickled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidstyle.core.frame import Frame, LazyLayer
from vidstyle.core.layers import Layer
from vidstyle.core.planes import PlaneFormat, Planes
from vidstyle.core.source import Mark
from vidstyle.core.state import State, StateValue, load_state, save_state

if TYPE_CHECKING:
    import torch

_FACTS = "facts"
_FRACTION = "\0fraction"


@dataclass(frozen=True, slots=True)
class Clock:
    """When a run's first frames are shown, in seconds on the file's clock."""

    origin: Fraction
    """The first frame of the file."""
    start: Fraction
    """The first one wanted."""


@dataclass(frozen=True, slots=True)
class ChunkPosition:
    """How far shots and chunks are numbered."""

    shot: int = 0
    chunk: int = 0
    in_chunk: int = 0
    """Frames of the chunk so far."""
    in_part: int = 0
    """Frames of the shot so far, or of the part of it where long shots are cut."""


@dataclass(frozen=True, slots=True)
class StageState:
    """All that a stage's next step depends on besides the frames from it onward."""

    state: State
    shot: int | None
    """Of the last frame; None before the first one."""
    behind: tuple[Frame, ...]
    """The frames behind that its window shows, nearest first."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A cut between two frame numbers, and the state of every part of the run there."""

    mark: Mark
    clock: Clock
    position: ChunkPosition
    states: Mapping[str, bytes]
    """By the name of the stage; ``load_stage_state`` reads them."""


class SavedStates(Mapping[str, bytes]):
    """States of stages, each saved when it is looked up: together they are large."""

    def __init__(self, states: Mapping[str, StageState]) -> None:
        self._states = states

    def __getitem__(self, name: str) -> bytes:
        return save_stage_state(self._states[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)


def save_place(checkpoint: Checkpoint) -> str:
    """Mark, clock and position as JSON."""
    return _to_json(
        {
            "mark": asdict(checkpoint.mark),
            "clock": asdict(checkpoint.clock),
            "position": asdict(checkpoint.position),
        }
    )


def load_place(text: str, states: Mapping[str, bytes]) -> Checkpoint:
    """The checkpoint that ``save_place`` was given, with the states of its stages."""
    parts = _from_json(text)
    mark = parts["mark"]
    return Checkpoint(
        Mark(**{**mark, "digests": tuple(mark["digests"])}),
        Clock(**parts["clock"]),
        ChunkPosition(**parts["position"]),
        states,
    )


def save_stage_state(state: StageState) -> bytes:
    """``load_stage_state`` gives back an equal one, arrays and tensors bit for bit."""
    arrays: dict[str, Any] = {}
    orders: dict[str, list[int]] = {}
    scalars: dict[str, StateValue] = {}
    formats: dict[str, object] = {}

    def put(name: str, layer: Layer) -> None:
        if isinstance(layer, np.ndarray):
            arrays[name] = layer
        else:
            arrays[name], orders[name] = _from_tensor(layer)

    for name, value in (state.state or {}).items():
        if isinstance(value, (str, int, float)):
            scalars[name] = value
        else:
            put(f"state.{name}", value)
    for number, frame in enumerate(state.behind):
        for name in frame.layers:
            key, layer = f"behind.{number}.{name}", frame.lazy_layer(name)
            put(key, layer.values)
            if layer.planes is not None:
                # Beside what they become: some stages read the one and some the other.
                formats[key] = asdict(layer.planes.format)
                for part, samples in enumerate(layer.planes.samples):
                    arrays[f"planes.{part}.{key}"] = samples
    facts = {
        "shot": state.shot,
        "none": state.state is None,
        "scalars": scalars,
        "orders": orders,
        "formats": formats,
        "behind": [_values_of(frame) for frame in state.behind],
    }
    return save_state({**arrays, _FACTS: _to_json(facts)})


def load_stage_state(data: bytes, device: str) -> StageState:
    """Read what ``save_stage_state`` wrote; tensors come to lie on ``device``.

    Raises ValueError where the bytes are damaged.
    """
    stored = dict(load_state(data) or {})
    facts = _from_json(str(stored.pop(_FACTS)))
    layers: dict[str, Any] = {
        name: _to_tensor(value, facts["orders"][name], device) if name in facts["orders"] else value
        for name, value in stored.items()
    }
    state = {**dict(_under("state.", layers)), **facts["scalars"]}
    behind = []
    for number, values in enumerate(facts["behind"]):
        prefix = f"behind.{number}."
        found = {
            name: _with_planes(f"{prefix}{name}", layer, facts["formats"], stored)
            for name, layer in _under(prefix, layers)
        }
        empty = Frame(**values, layers={})
        behind.append(empty.write(found, found))
    return StageState(None if facts["none"] else state, facts["shot"], tuple(behind))


def _under(prefix: str, layers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, layer in layers.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), layer


def _with_planes(
    key: str, layer: Any, formats: Mapping[str, Any], stored: Mapping[str, Any]
) -> LazyLayer:
    """The layer as it lay: with its planes, where it had any."""
    if key not in formats:
        return LazyLayer(layer)
    facts = formats[key]
    form = PlaneFormat(**{**facts, "chroma": tuple(facts["chroma"])})
    samples = tuple(stored[f"planes.{part}.{key}"] for part in range(3))
    return LazyLayer(layer, planes=Planes(samples, form, lambda: layer))


def _values_of(frame: Frame) -> dict[str, object]:
    """Every field of the frame but its layers."""
    return {f.name: getattr(frame, f.name) for f in fields(frame) if f.name != "layers"}


def _to_json(facts: Mapping[str, object]) -> str:
    def encode(value: object) -> object:
        if isinstance(value, Fraction):
            return {_FRACTION: str(value)}
        raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}: {value!r}")

    return json.dumps(facts, default=encode)


def _from_json(text: str) -> dict[str, Any]:
    def decode(item: dict[str, Any]) -> object:
        return Fraction(item[_FRACTION]) if item.keys() == {_FRACTION} else item

    facts: dict[str, Any] = json.loads(text, object_hook=decode)
    return facts


def _from_tensor(tensor: torch.Tensor) -> tuple[np.ndarray, list[int]]:
    """The tensor with its axes as they lie in memory, and which axis is which.

    Networks give other bits for another memory format.
    """
    order = sorted(range(tensor.ndim), key=tensor.stride, reverse=True)
    return tensor.detach().permute(order).contiguous().cpu().numpy(), order


def _to_tensor(array: Any, order: list[int], device: str) -> torch.Tensor:
    import torch

    back = [order.index(axis) for axis in range(len(order))]
    return torch.from_numpy(array).permute(back).to(device)
