"""What a run needs to go on at a frame, as bytes: arrays and JSON, never pickled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidstyle.core.layers import Layer
from vidstyle.core.source import Mark
from vidstyle.core.state import StateValue, load_state, save_state
from vidstyle.runner.execution.edge import Clock, Edge, Held, Stamped
from vidstyle.runner.execution.parcel import Cell, Parcel

if TYPE_CHECKING:
    import torch

_FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place between two frames, and what everybody held there."""

    mark: Mark
    clock: Clock
    stamped: Stamped
    held: Mapping[str, bytes]
    """By the name of the stage; ``load_held`` reads it."""


def checkpoint_of(edge: Edge) -> Checkpoint:
    """The checkpoint before the frame whose edge this is, once it has passed every stage."""
    if edge.stamped is None:
        raise ValueError("the edge was not kept")
    return Checkpoint(edge.mark(), edge.clock, edge.stamped, _Saved(edge.held))


class _Saved(Mapping[str, bytes]):
    """What stages held, each written when it is asked for: together they are large."""

    def __init__(self, held: Mapping[str, Held]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> bytes:
        return save_held(self._held[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def save_place(checkpoint: Checkpoint) -> str:
    """Mark, clock and numbering as JSON."""
    clock = checkpoint.clock
    return json.dumps(
        {
            "mark": asdict(checkpoint.mark),
            "clock": [str(clock.origin), str(clock.start)],
            "stamped": asdict(checkpoint.stamped),
        }
    )


def load_place(text: str, held: Mapping[str, bytes]) -> Checkpoint:
    """The checkpoint that ``save_place`` was given, with what the stages held."""
    facts = json.loads(text)
    mark = facts["mark"]
    return Checkpoint(
        Mark(mark["index"], mark["pts"], tuple(mark["digests"])),
        Clock(*map(Fraction, facts["clock"])),
        Stamped(**facts["stamped"]),
        held,
    )


def save_held(held: Held) -> bytes:
    """``load_held`` gives back an equal one, arrays and tensors bit for bit."""
    arrays: dict[str, StateValue] = {}
    orders: dict[str, list[int]] = {}
    scalars: dict[str, StateValue] = {}

    def put(name: str, layer: Layer) -> None:
        if isinstance(layer, np.ndarray):
            arrays[name] = layer
        else:
            arrays[name], orders[name] = _from_tensor(layer)

    for name, value in (held.state or {}).items():
        if isinstance(value, (str, int, float)):
            scalars[name] = value
        else:
            put(f"state.{name}", value)
    for number, parcel in enumerate(held.behind):
        for name, cell in parcel.cells.items():
            put(f"behind.{number}.{name}", cell.stored())
    facts = {
        "shot": held.shot,
        "none": held.state is None,
        "scalars": scalars,
        "orders": orders,
        "behind": [_place_of(parcel) for parcel in held.behind],
    }
    return save_state({**arrays, _FACTS: json.dumps(facts)})


def load_held(data: bytes, device: str) -> Held:
    """Read what ``save_held`` wrote; what lay on a device comes to lie on ``device``.

    Raises ValueError where the bytes are damaged.
    """
    stored = dict(load_state(data) or {})
    facts = json.loads(str(stored.pop(_FACTS)))
    layers: dict[str, Any] = {
        name: _to_tensor(value, facts["orders"][name], device) if name in facts["orders"] else value
        for name, value in stored.items()
    }
    state = {**dict(_under("state.", layers)), **facts["scalars"]}
    behind = tuple(
        _parcel(position, dict(_under(f"behind.{number}.", layers)))
        for number, position in enumerate(facts["behind"])
    )
    return Held(None if facts["none"] else state, facts["shot"], behind)


def _under(prefix: str, layers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, layer in layers.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), layer


def _place_of(parcel: Parcel) -> dict[str, int | str]:
    return {
        "index": parcel.index,
        "pts": parcel.pts,
        "duration": parcel.duration,
        "time": str(parcel.time),
        "shot": parcel.shot,
        "chunk": parcel.chunk,
    }


def _parcel(position: Mapping[str, Any], layers: Mapping[str, Layer]) -> Parcel:
    cells = {name: Cell(layer) for name, layer in layers.items()}
    return Parcel(**{**position, "time": Fraction(position["time"])}, cells=cells)


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
