"""A frame on its way through the pipeline, each layer moved between host and device once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidstyle.core.frame import Frame
from vidstyle.core.layers import Home, HostArray, Layer
from vidstyle.runner.execution.edge import Edge
from vidstyle.runner.execution.transfer import device_to_host, host_to_device, mark_made, read_only

if TYPE_CHECKING:
    import torch


class Cell:
    """One layer of one frame, wherever it is wanted."""

    __slots__ = ("_device", "_digest", "_host", "_made")

    def __init__(self, layer: Layer) -> None:
        """On a GPU by the thread that has made the layer, which notes when it will be there."""
        self._host: HostArray | None = None
        self._device: torch.Tensor | None = None
        self._made: torch.cuda.Event | None = None
        if isinstance(layer, np.ndarray):
            self._host = read_only(layer)
        else:
            self._device, self._made = layer, mark_made(layer)
        self._digest: bytes | None = None

    @property
    def nbytes(self) -> int:
        """Size of the layer where it lies now."""
        return self.stored().nbytes

    def stored(self) -> Layer:
        """The layer as it lies; where it lies twice, as on the device."""
        there = self._host if self._device is None else self._device
        assert there is not None
        return there

    def digest(self) -> bytes:
        """Hash of the layer's values and shape; computed once."""
        if self._digest is None:
            array = np.ascontiguousarray(self.at("host", "cpu"))
            state = hashlib.sha256(str(array.shape).encode())
            state.update(array.data)
            self._digest = state.digest()
        return self._digest

    def at(self, home: Home, device: str) -> Layer:
        """The layer where it is read. Two threads may both move it; the result is the same."""
        if home == "host":
            if self._host is None:
                assert self._device is not None
                self._host = device_to_host(self._device, self._made)
            return self._host
        if self._device is None:
            assert self._host is not None
            self._device = host_to_device(self._host, device)
        return self._device


@dataclass(frozen=True, slots=True)
class Parcel:
    """A frame's place in time with its cells; what travels between stages."""

    index: int
    pts: int
    duration: int
    time: Fraction
    """Seconds since the first frame of the run."""
    cells: Mapping[str, Cell]
    shot: int = 0
    chunk: int = 0
    edge: Edge | None = None
    """Where a checkpoint before this frame is gathered."""

    def show(self, names: Iterable[str], home: Home, device: str) -> Frame:
        """The frame as a stage sees it: these layers and no others."""
        layers = {name: self.cells[name].at(home, device) for name in names}
        return Frame(self.index, self.pts, self.duration, layers, self.shot, self.chunk)

    def written(self, layers: Mapping[str, Layer], keeps: Iterable[str]) -> Parcel:
        """With new layers, and without those that nobody reads any more."""
        cells = {**self.cells, **{name: Cell(layer) for name, layer in layers.items()}}
        return replace(self, cells={name: cells[name] for name in keeps if name in cells})

    def remembered(self, keeps: Iterable[str]) -> Parcel:
        """With these layers, for who looks back at it: no edge, which would hold all before it."""
        return replace(self.only(keeps), edge=None)

    def only(self, keeps: Iterable[str]) -> Parcel:
        """With these layers alone."""
        return replace(self, cells={name: self.cells[name] for name in keeps if name in self.cells})
