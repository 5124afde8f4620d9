"""The destination is untouched or complete: all is written beside it, then renamed."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vidstyle.core.errors import LockedError, OutputError, UsageError
from vidstyle.core.sink import MANIFEST

# Bytes: what lies beside the output while a run goes on is named after it, and made longer.
_LONGEST_NAME = 255 - len("..vidstyle-journal")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the output goes, and the two names beside it that a run may use."""

    path: Path
    overwrite: bool = False
    """Whether what is there already may be replaced."""

    @property
    def store(self) -> Path:
        """The sqlite file of the run."""
        return self.path.with_name(f".{self.path.name}.vidstyle")

    @property
    def partial(self) -> Path:
        """The output while it is being joined; it has the suffix, which names the container."""
        return self.path.with_name(f".{self.path.stem}.partial{self.path.suffix}")

    def check(self, source: Path) -> None:
        """Refuse what cannot end well, before anything is decoded."""
        path = self.path
        try:
            if path.exists() and source.exists() and path.samefile(source):
                raise UsageError(f"the output is the input itself: {path}; choose another -o")
            if path.is_symlink() and not path.exists():
                raise OutputError(f"{path} is a link to nothing; remove it or choose another -o")
            if len(os.fsencode(path.name)) > _LONGEST_NAME:
                raise OutputError(f"the name {path.name[:40]}… is too long; choose another -o")
            if not path.parent.is_dir():
                raise OutputError(f"the folder {path.parent} does not exist; make it first")
            if not os.access(path.parent, os.W_OK | os.X_OK):
                raise OutputError(f"the folder {path.parent} cannot be written; choose another -o")
            if path.exists():
                self._check_replaceable()
        except OSError as error:
            raise OutputError(
                f"cannot write {path}: {error.strerror}; choose another -o"
            ) from error

    def _check_replaceable(self) -> None:
        if not self.overwrite:
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
    def reserved(self, *, keep_store: bool = False) -> Iterator[None]:
        """Hold the output against other runs, and remove what is beside it afterwards.

        With ``keep_store`` the store is left alone, before and after: ``drop_store`` removes it.
        Raises LockedError where another run holds it, and OutputError where one has just made
        it and it is not to be replaced.
        """
        with self._locked():
            if self.path.exists():
                self._check_replaceable()
            try:
                self._clear(keep_store=keep_store)
                yield
            finally:
                self._clear(keep_store=keep_store)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self.path.with_name(f".{self.path.name}.lock")
        handle = self._lock_file(lock)
        while not _is_still(lock, handle):
            # Whoever held it before has removed the file that we have just locked.
            handle.close()
            handle = self._lock_file(lock)
        with handle:
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)

    def _lock_file(self, lock: Path) -> IO[str]:
        try:
            # Not emptied: who holds it has written there who they are.
            handle = lock.open("a+")
        except OSError as error:
            raise OutputError(f"cannot write beside {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.close()
            raise LockedError(
                f"another run is writing {self.path}{_holder(lock)}; wait for it"
            ) from error
        except OSError as error:
            handle.close()
            raise OutputError(f"cannot lock beside {self.path}: {error.strerror}") from error
        with suppress(OSError):  # A full disk is no reason to do without the lock.
            handle.truncate(0)
            os.write(handle.fileno(), f"process {os.getpid()} on {platform.node()}".encode())
        return handle

    def commit(self) -> None:
        """Put the finished file or folder in place."""
        try:
            if self.path.is_dir():
                self._swap_folder()
            else:
                self.partial.replace(self.path)
        except OSError as error:
            raise OutputError(f"cannot put {self.path} in place: {error.strerror}") from error

    def _swap_folder(self) -> None:
        """Two renames; in between, and after a kill there, ``_clear`` knows the way back."""
        # Somebody may have put a file of theirs into it since the run began.
        self._check_replaceable()
        self.path.rename(self._aside)
        try:
            self.partial.rename(self.path)
        except OSError:
            self._aside.rename(self.path)
            raise

    @property
    def _aside(self) -> Path:
        return self.path.with_name(f".{self.path.name}.replaced")

    def drop_store(self) -> None:
        """Remove the store; for who holds the output. Raises OutputError."""
        with _removing():
            for name in (self.store, self.store.with_name(self.store.name + "-journal")):
                name.unlink(missing_ok=True)

    def _clear(self, *, keep_store: bool) -> None:
        if not keep_store:
            self.drop_store()
        with _removing():
            if self._aside.is_dir() and not self.path.exists():
                self._aside.rename(self.path)
            if self._aside.is_dir():
                _remove_listed(self._aside)
            if self.partial.is_dir():
                shutil.rmtree(self.partial)
            self.partial.unlink(missing_ok=True)


@contextmanager
def _removing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot remove {error.filename}: {error.strerror}; remove it by hand"
        ) from error


def _holder(lock: Path) -> str:
    """Who holds the lock, in brackets; empty where they have not written it yet."""
    try:
        text = lock.read_text(errors="replace")[:100]
    except OSError:
        return ""
    return f" ({text})" if text.isprintable() and text else ""


def _is_still(lock: Path, handle: IO[str]) -> bool:
    """Whether the locked file is the one that the name stands for."""
    try:
        return os.path.samestat(lock.stat(), os.fstat(handle.fileno()))
    except FileNotFoundError:
        return False


def _remove_listed(folder: Path) -> None:
    """Remove the files that the folder's manifest lists, and the folder if nothing else is left."""
    for name in sorted(_ours(folder)):
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()


def _ours(folder: Path) -> set[str]:
    """Names in the folder that its manifest lists; empty where there is no manifest."""
    try:
        listed = json.loads((folder / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    # A manifest may come from anybody: a name that leads elsewhere is no file of this folder.
    names = (name for name in map(str, listed) if name not in ("", ".."))
    return {MANIFEST, *(name for name in names if name == Path(name).name)}
