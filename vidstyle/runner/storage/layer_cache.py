"""Layers on disk by what they were made of, so that a changed blend needs no new flow."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vidstyle.core.errors import OutputError
from vidstyle.core.layers import HostArray
from vidstyle.core.state import load_state, save_state
from vidstyle.runner.plan.memory import size_text

LIMIT = 20 * 2**30
"""Bytes on disk, unless the user sets another limit."""
_SUFFIX, _PART = ".layers", ".part"
# Seconds after which nobody writes a part any more: its run was killed.
_ABANDONED = 3600.0
# Part of the limit that is left when room was made: not to be looked for at every frame.
_ROOM = 0.9
# Frames after which the folder is measured again: other runs write to it too.
_LOOK = 64


class LayerCache:
    """A folder of layers, of bounded size, that several runs may use at once.

    A file is whole or not there: it is written beside its place and renamed. The ones that were
    not used for the longest time go first. What cannot be read is computed again, and where nothing
    can be written the run goes on without: ``failure`` then says why.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        """Raises OutputError where the folder cannot be made."""
        self.failure: str | None = None
        """Why nothing more is kept; None while all is well."""
        self.found = self.kept = 0
        """Frames whose layers were there, and that were added."""
        self._folder, self._limit = folder, limit
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"--cache {folder}: cannot be made ({error.strerror})") from error
        self._size, self._since, self._used = 0, _LOOK, 0

    def get(self, key: str) -> Mapping[str, HostArray] | None:
        """The layers that were kept under that key."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        # Where nothing may be written, as in a folder of somebody else's, it is read all the same.
        with suppress(OSError):
            os.utime(path)
        layers = _unpacked(data)
        if layers is not None:
            self.found += 1
            self._used += len(data)
        return layers

    def put(self, key: str, layers: Mapping[str, HostArray]) -> None:
        """Keep layers; what is there under that key already is the same."""
        if self.failure is not None:
            return
        data = _packed(layers)
        try:
            self._make_room(len(data))
            _write(self._path(key), data)
        except OSError as error:
            self.failure = f"nothing more is kept in {self._folder}: {error.strerror or error}"
            return
        self._size += len(data)
        self._used += len(data)
        self.kept += 1

    def notes(self) -> Iterator[str]:
        """What a user should know at the end of a run."""
        yield f"cache: reused {self.found} results, stored {self.kept}"
        if self.failure is not None:
            yield self.failure
        elif self._used > self._limit:
            yield (
                f"cache: this run's results take {size_text(self._used)}, more than --cache-size"
                f" ({size_text(self._limit)}); the first were removed: raise it"
            )

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key[2:]}{_SUFFIX}"

    def _make_room(self, size: int) -> None:
        self._since += 1
        if self._since < _LOOK and self._size + size <= self._limit:
            return
        self._since = 0
        try:
            with FileLock(self._folder / "lock", timeout=0):
                self._size = _shrunk(self._folder, self._limit - size, self._limit)
        except Timeout:
            # Another run is at it.
            self._size += size


def _remove_abandoned(folder: Path) -> None:
    for part in folder.glob(f"*/*{_PART}"):
        with suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


def _shrunk(folder: Path, most: int, limit: int) -> int:
    """Remove the files that were not used for the longest time; the bytes that are left."""
    _remove_abandoned(folder)
    files = []
    for path in folder.glob(f"*/*{_SUFFIX}"):
        try:
            facts = path.stat()
        except OSError:
            continue
        files.append((facts.st_mtime_ns, facts.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= most:
        return total
    for _, size, path in sorted(files):
        if total <= min(most, _ROOM * limit):
            break
        path.unlink(missing_ok=True)
        total -= size
    return total


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _packed(layers: Mapping[str, HostArray]) -> bytes:
    data = save_state(layers)
    return hashlib.sha256(data).digest() + data


def _unpacked(data: bytes) -> Mapping[str, HostArray] | None:
    """The layers; None where the file is damaged."""
    digest, body = data[:32], memoryview(data)[32:]
    if hashlib.sha256(body).digest() != digest:
        return None
    return load_state(bytes(body))  # type: ignore[return-value]  # arrays alone were saved


def key_of(parts: Iterable[bytes]) -> str:
    """What layers are kept under: a hash of all that they were made of."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
