"""Layers of a span: in memory up to a budget, beyond it in a temporary file without a name."""

from __future__ import annotations

import tempfile
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO

import numpy as np

from vidstyle.core.errors import OutputError
from vidstyle.core.layers import HostArray
from vidstyle.runner.execution.parcel import Cell
from vidstyle.runner.execution.transfer import read_only

_SMALL = 4096
# Bytes. Less is not worth a place on disk, and nothing at all has none there.
_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where an array lies in the file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[np.float32]
    nbytes: int


class SpanStore:
    """Cells by key, for one span. One thread uses it at a time.

    What comes first stays in memory: passes read all frames in turn, and whatever was given up
    for later ones would be missed first. The file has no name on POSIX systems, so that nothing
    is left of it however the process ends; see ``tempfile`` for the folder.
    """

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._cells: dict[Hashable, Cell] = {}
        self._slots: dict[Hashable, _Slot] = {}
        self._file: FileIO | None = None
        self._end = 0

    @property
    def on_disk(self) -> int:
        """Bytes in the file."""
        return self._end

    def put(self, key: Hashable, cell: Cell) -> None:
        """Keep the layer, in place of what had the key. Raises OutputError for a full disk."""
        before = self._cells.pop(key, None)
        self._left += before.nbytes if before else 0
        size = cell.nbytes
        if size < _SMALL or (size <= self._left and key not in self._slots):
            self._slots.pop(key, None)
            self._cells[key] = cell
            self._left -= size
        else:
            self._slots[key] = self._written(self._slots.get(key), _host(cell))

    def __contains__(self, key: Hashable) -> bool:
        return key in self._cells or key in self._slots

    def get(self, key: Hashable) -> Cell:
        """The layer as it is now, whatever is put under its key later."""
        slot = self._slots.get(key)
        return self._cells[key] if slot is None else Cell(self._read(slot))

    def close(self) -> None:
        """Give memory and disk back; may be called again."""
        self._cells.clear()
        self._slots.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _written(self, before: _Slot | None, array: HostArray) -> _Slot:
        fits = before is not None and array.nbytes <= before.nbytes
        offset = before.offset if before is not None and fits else self._end
        with _failing_as_output():
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
        with _failing_as_output():
            self._file.seek(slot.offset)
            rest = array.data.cast("B")
            while rest:
                rest = rest[self._file.readinto(rest) :]
        return array


def _host(cell: Cell) -> HostArray:
    array = cell.at("host", "cpu")
    assert isinstance(array, np.ndarray)
    return read_only(np.ascontiguousarray(array))


@contextmanager
def _failing_as_output() -> Iterator[None]:
    """Turn a full disk into the error that a user understands."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot keep frames in {tempfile.tempdir or 'a temporary folder'}:"
            f" {error.strerror}; free some space there, or name another folder in TMPDIR"
        ) from error
