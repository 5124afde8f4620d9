"""What a span stage sees of a store: the frames of its span, and a shelf of its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vidstyle.core.frame import Frame
from vidstyle.core.layers import Home, Layer
from vidstyle.runner.execution.parcel import Cell, Parcel
from vidstyle.runner.execution.span_store import SpanStore


@dataclass(frozen=True, slots=True)
class StoredFrames:
    """Frames whose layers lie in a store under (position, name)."""

    store: SpanStore
    parcels: tuple[Parcel, ...]
    names: tuple[str, ...]
    """Layers to show, where they are there."""
    home: Home
    device: str

    def __len__(self) -> int:
        return len(self.parcels)

    def __getitem__(self, position: int) -> Frame:
        position = range(len(self.parcels))[position]
        names = tuple(name for name in self.names if (position, name) in self.store)
        layers = MappingProxyType(_Layers(self.store, position, names, self.home, self.device))
        parcel = self.parcels[position]
        return _StoredFrame(
            parcel.index, parcel.pts, parcel.duration, layers, parcel.shot, parcel.chunk
        )


class _StoredFrame(Frame):
    """A frame that reads a layer each time that it is asked for it."""

    __slots__ = ()

    def __post_init__(self) -> None:
        # What a frame does besides would read all layers at once.
        return


@dataclass(frozen=True, slots=True, eq=False)
class _Layers(Mapping[str, Layer]):
    store: SpanStore
    position: int
    names: tuple[str, ...]
    home: Home
    device: str

    def __getitem__(self, name: str) -> Layer:
        if name not in self.names:
            raise KeyError(name)
        return self.store.get((self.position, name)).at(self.home, self.device)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class StoredScratch:
    """The part of a store where a stage puts images of its own."""

    store: SpanStore
    home: Home
    device: str

    def __getitem__(self, key: Hashable) -> Layer:
        return self.store.get(("shelf", key)).at(self.home, self.device)

    def __setitem__(self, key: Hashable, layer: Layer) -> None:
        self.store.put(("shelf", key), Cell(layer))
