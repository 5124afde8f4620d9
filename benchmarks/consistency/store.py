"""Frames and flows on disk, found again by what they depend on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

import vidstyle
from vidstyle.core import HostArray

Arrays = Mapping[str, npt.NDArray[Any]]
"""One frame's layers by name; float16 where they may be rounded."""
# Of the layout; with another one nothing stored is used.
_VERSION = 1
# Suffixes of what results depend on.
_SOURCES = (".py", ".c", ".h")


class Kept(Sequence[HostArray]):
    """One layer of all frames of a clip: read when asked for, never held."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob("*.npy"))

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, index: SupportsIndex) -> HostArray: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[HostArray]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> HostArray | Sequence[HostArray]:
        if isinstance(index, slice):
            return [self._read(path) for path in self._paths[index]]
        return self._read(self._paths[index])

    @staticmethod
    def _read(path: Path) -> HostArray:
        array = np.asarray(np.load(path), np.float32)
        array.flags.writeable = False
        return array


class Store:
    """A folder of what was computed; a run that is cut off leaves nothing half made in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def frames(
        self, kind: str, facts: Mapping[str, Any], make: Callable[[], Iterable[Arrays]]
    ) -> dict[str, Kept]:
        """The layers that ``make`` gives frame by frame, made only where they are not there.

        ``facts`` are JSON values and name all that the layers depend on.
        """
        folder = self._folder / f"{kind}-{digest_of(facts)}"
        if not folder.is_dir():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            for number, arrays in enumerate(make()):
                for name, array in arrays.items():
                    (part / name).mkdir(parents=True, exist_ok=True)
                    np.save(part / name / f"{number:06}.npy", array)
            part.rename(folder)
        return {layer.name: Kept(layer) for layer in sorted(folder.iterdir())}

    def array(
        self, kind: str, facts: Mapping[str, Any], make: Callable[[], npt.NDArray[Any]]
    ) -> HostArray:
        """One array, as ``frames`` keeps them; given as it was kept, also the first time."""
        (self._folder / kind).mkdir(exist_ok=True)
        path = self._folder / kind / f"{digest_of(facts)}.npy"
        if not path.is_file():
            part = path.with_suffix(".part.npy")
            np.save(part, make())
            part.rename(path)
        return np.asarray(np.load(path), np.float32)

    def file(
        self,
        kind: str,
        facts: Mapping[str, Any],
        suffix: str,
        write: Callable[[Path], object],
    ) -> Path:
        """A file that ``write`` writes where it is not there."""
        path = self._folder / f"{kind}-{digest_of(facts)}{suffix}"
        if not path.is_file():
            part = path.with_name(f"part-{path.name}")
            part.unlink(missing_ok=True)
            write(part)
            part.rename(path)
        return path


def digest_of(facts: Mapping[str, Any]) -> str:
    """Twenty hex digits that stand for the facts."""
    text = json.dumps({"version": _VERSION, **facts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def digest_of_code(*parts: str) -> str:
    """The same of files and folders of the package, such as ``models``."""
    package = Path(vidstyle.__file__).parent
    files = {
        file
        for part in parts
        for file in ([package / part] if part.endswith(".py") else (package / part).rglob("*.*"))
        if file.suffix in _SOURCES
    }
    return digest_of_files(sorted(files))


def digest_of_files(paths: Iterable[Path]) -> str:
    """The same of the content of files, whatever they are called."""
    total = hashlib.sha256()
    for path in paths:
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:20]
