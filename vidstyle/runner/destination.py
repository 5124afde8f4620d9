"""The destination is untouched or complete: all is written beside it, then renamed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.errors import LockedError, OutputError, UsageError
from vidstyle.core.sink import MANIFEST


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the output goes, and the two names beside it that a run may use."""

    path: Path

    @property
    def store(self) -> Path:
        """The sqlite file of the run."""
        return self.path.with_name(f".{self.path.name}.vidstyle")

    @property
    def partial(self) -> Path:
        """The output while it is being joined; it has the suffix, which names the container."""
        return self.path.with_name(f".{self.path.stem}.partial{self.path.suffix}")

    def check(self, source: Path, *, overwrite: bool) -> None:
        """Refuse what cannot end well, before anything is decoded."""
        path = self.path
        if path.exists() and source.exists() and path.samefile(source):
            raise UsageError(f"the output is the input itself: {path}; choose another -o")
        if path.is_symlink() and not path.exists():
            raise OutputError(f"{path} is a link to nothing; remove it or choose another -o")
        if not path.parent.is_dir():
            raise OutputError(f"the folder {path.parent} does not exist; make it first")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OutputError(f"the folder {path.parent} cannot be written; choose another -o")
        if path.exists():
            self._check_replaceable(overwrite)

    def _check_replaceable(self, overwrite: bool) -> None:
        if not overwrite:
            raise OutputError(f"{self.path} exists; pass --overwrite to replace it")
        if not self.path.is_dir():
            if not self.path.is_file():
                raise OutputError(f"{self.path} is neither a file nor a folder; choose another -o")
            return
        foreign = sorted({entry.name for entry in self.path.iterdir()} - _ours(self.path))
        if foreign:
            raise OutputError(
                f"{self.path} holds files that vidstyle did not write ({foreign[0]});"
                " choose another -o"
            )

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Hold the output against other runs, and remove what is beside it afterwards."""
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            handle = lock.open("w")
        except OSError as error:
            raise OutputError(f"cannot write beside {self.path}: {error.strerror}") from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LockedError(f"another run is writing {self.path}; wait for it") from error
            try:
                self._clear()
                yield
            finally:
                self._clear()
                lock.unlink(missing_ok=True)

    def commit(self) -> None:
        """Put the finished file or folder in place."""
        try:
            if not self.path.is_dir():
                self.partial.replace(self.path)
                return
            aside = self.path.with_name(f".{self.path.name}.replaced")
            self.path.rename(aside)
            self.partial.rename(self.path)
            shutil.rmtree(aside)
        except OSError as error:
            raise OutputError(f"cannot put {self.path} in place: {error.strerror}") from error

    def _clear(self) -> None:
        for name in (self.store, self.store.with_name(self.store.name + "-journal")):
            name.unlink(missing_ok=True)
        if self.partial.is_dir():
            shutil.rmtree(self.partial)
        else:
            self.partial.unlink(missing_ok=True)


def _ours(folder: Path) -> set[str]:
    """Names in the folder that its manifest lists; empty where there is no manifest."""
    try:
        listed = json.loads((folder / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {MANIFEST, *(str(name) for name in listed)}
