"""The frames of a span: in memory up to a budget, beyond it in a temporary file without a name."""

from __future__ import annotations

import tempfile
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from typing import TYPE_CHECKING

import numpy as np

from vidstyle.core.errors import OutputError
from vidstyle.core.frame import Frame, LazyLayer, LazyLayers
from vidstyle.core.layers import HostArray, Layer

if TYPE_CHECKING:
    import torch

# Bytes. Less is not worth a place on disk, and an empty layer has none there.
_SMALL = 4096
_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where an array lies in the file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[np.float32]
    nbytes: int


class SpanStore:
    """Layers by key, for one span. One thread uses it at a time.

    The first layers stay in memory: passes read all frames in turn, so that dropping the first
    ones for later ones would miss each time. The file has no name on POSIX systems, so that it
    is gone however the process ends; see ``tempfile`` for the folder.
    """

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._layers: dict[Hashable, LazyLayer] = {}
        self._slots: dict[Hashable, _Slot] = {}
        self._file: FileIO | None = None
        self._end = 0

    @property
    def on_disk(self) -> int:
        """Bytes in the file."""
        return self._end

    def put(self, key: Hashable, layer: LazyLayer) -> None:
        """Keep the layer, in place of what had the key. Raises OutputError for a full disk."""
        before = self._layers.pop(key, None)
        self._left += before.values.nbytes if before else 0
        if layer.planes is not None:
            # What a layer is must not depend on whether it was on disk.
            layer = LazyLayer(layer.host())
        size = layer.values.nbytes
        if size < _SMALL or (size <= self._left and key not in self._slots):
            self._slots.pop(key, None)
            self._layers[key] = layer
            self._left -= size
        else:
            self._slots[key] = self._write(self._slots.get(key), np.ascontiguousarray(layer.host()))

    def __contains__(self, key: Hashable) -> bool:
        return key in self._layers or key in self._slots

    def get(self, key: Hashable) -> LazyLayer:
        """The layer as it is now, whatever is put under its key later."""
        slot = self._slots.get(key)
        return self._layers[key] if slot is None else LazyLayer(self._read(slot))

    def close(self) -> None:
        """Give memory and disk back; may be called again."""
        self._layers.clear()
        self._slots.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, before: _Slot | None, array: HostArray) -> _Slot:
        fits = before is not None and array.nbytes <= before.nbytes
        offset = before.offset if before is not None and fits else self._end
        with _explain_disk_errors():
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0, prefix="vidstyle-")  # noqa: SIM115  # closed by close
            self._file.seek(offset)
            rest = array.data.cast("B")
            while rest:
                rest = rest[self._file.write(rest) :]
        if not fits:
            self._end = offset + array.nbytes + -array.nbytes % _ALIGNMENT
        return _Slot(offset, array.shape, array.dtype, array.nbytes)

    def _read(self, slot: _Slot) -> HostArray:
        assert self._file is not None
        array: HostArray = np.empty(slot.shape, slot.dtype)
        with _explain_disk_errors():
            self._file.seek(slot.offset)
            rest = array.data.cast("B")
            while rest:
                rest = rest[self._file.readinto(rest) :]
        return array


class StoredLayer(LazyLayer):
    """A layer that is read from a store each time, so that frames may be kept and cost nothing."""

    __slots__ = ("_key", "_store")

    def __init__(self, store: SpanStore, key: Hashable) -> None:
        self._digest = None
        self.planes = None
        self._store, self._key = store, key

    @property
    def values(self) -> Layer:
        return self._store.get(self._key).values

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape)

    def host(self) -> HostArray:
        return self._store.get(self._key).host()

    def tensor(self, device: str) -> torch.Tensor:
        return self._store.get(self._key).tensor(device)


@dataclass(frozen=True, slots=True)
class StoredFrames:
    """The frames of a span, whose layers lie in a store under (position, name)."""

    store: SpanStore
    frames: Sequence[Frame]
    """Without layers."""
    names: tuple[str, ...]
    """Layers to show, where they are there."""
    home: str

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, position: int) -> Frame:
        position = range(len(self.frames))[position]
        layers: dict[str, LazyLayer] = {
            name: StoredLayer(self.store, (position, name))
            for name in self.names
            if (position, name) in self.store
        }
        return replace(self.frames[position], layers=LazyLayers(layers, self.home))


@dataclass(frozen=True, slots=True, eq=False)
class StoredScratch:
    """The part of a store where a stage puts images of its own."""

    store: SpanStore
    home: str

    def __getitem__(self, key: Hashable) -> Layer:
        return LazyLayers({"": self.store.get(("scratch", key))}, self.home)[""]

    def __setitem__(self, key: Hashable, layer: Layer) -> None:
        self.store.put(("scratch", key), LazyLayer(layer))


@contextmanager
def _explain_disk_errors() -> Iterator[None]:
    """Turn a full disk into the error that a user understands."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot keep frames in {tempfile.tempdir or 'a temporary folder'}:"
            f" {error.strerror}; free some space there, or name another folder in TMPDIR"
        ) from error
