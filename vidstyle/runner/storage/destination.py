"""The destination is untouched or complete: all is written apart from it, then renamed.

What is not complete lies in the hidden folder that also has the manifests: on the same disk.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.errors import OutputError, UsageError
from vidstyle.core.sink import MANIFEST
from vidstyle.runner.storage.locks import explain_removal, hold_lock
from vidstyle.runner.storage.records import Records

# Bytes: what lies apart from the output while a run goes on is named after it, and made longer.
_LONGEST_NAME = 255 - len("-0123456789abcdef.work-journal")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the output goes, and the names in the hidden folder that a run may use."""

    path: Path
    overwrite: bool = False
    """Whether what is there already may be replaced."""

    @property
    def records(self) -> Records:
        """What is kept beside the output: its manifest, and the work of interrupted runs."""
        return Records(self.path.parent)

    @property
    def partial(self) -> Path:
        """The output while it is being joined; it has the suffix, which names the container."""
        return self.records.folder / f"{self.path.stem}.partial{self.path.suffix}"

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
        self.check_kind()

    def check_kind(self) -> None:
        """Raise OutputError where what is there could not be replaced at all."""
        if not self.path.is_dir():
            if not self.path.is_file():
                raise OutputError(f"{self.path} is neither a file nor a folder; choose another -o")
            return
        foreign = {entry.name for entry in self.path.iterdir()} - _ours(self.path)
        if foreign:
            # A visible name says more than a hidden one, such as that of our own records.
            shown = min(foreign, key=lambda name: (name.startswith("."), name))
            raise OutputError(
                f"{self.path} holds more than the images of an earlier output ({shown});"
                " choose another -o"
            )

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Hold the output against other runs, and remove what is not complete afterwards.

        Manifests and stores are left alone. Raises LockedError where another run holds it, and
        OutputError where one has just made it and it is not to be replaced.
        """
        with self._locked():
            if self.path.exists():
                self._check_replaceable()
            try:
                self._clear()
                yield
            finally:
                self._clear()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self.records.folder / f"{self.path.name}.lock"
        with hold_lock(lock, f"another run is writing {self.path}"):
            yield

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
        return self.records.folder / f"{self.path.name}.replaced"

    def _clear(self) -> None:
        with explain_removal():
            if self._aside.is_dir() and not self.path.exists():
                self._aside.rename(self.path)
            if self._aside.is_dir():
                _remove_listed(self._aside)
            if self.partial.is_dir():
                shutil.rmtree(self.partial)
            self.partial.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Raise OutputError where a folder cannot be written, or cannot be made where it is not."""
    try:
        nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        if not nearest.is_dir():
            what = "is not a folder" if nearest == folder else f"{nearest} is not a folder"
            raise OutputError(f"cannot make the folder {folder}: {what}; choose another -o")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise OutputError(f"the folder {nearest} cannot be written; choose another -o")
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror}; choose another -o"
        ) from error


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
