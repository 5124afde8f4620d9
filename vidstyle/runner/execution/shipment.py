"""Files of a run on another machine: the same file where it lies there too, else a copy.

A file is the same where path, size and time are. Copies of plugins, styles, weights, side inputs
and of the clip itself come in pieces, once a machine, and the plan is changed to name them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

import vidstyle
from vidstyle.core.paths import names_file
from vidstyle.core.plan import Plan, PlannedStage
from vidstyle.runner.execution.work import Work
from vidstyle.runner.plan.parts import make_parts

PIECE = 16 * 2**20
"""Bytes of a file that travel at once."""
_WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """One file, as it lies on the machine that sends it."""

    name: str
    """Below the path that names it; empty where that is the file itself."""
    size: int
    time: int
    """When it was written last, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A file or folder that a run needs."""

    name: str
    """As plan or work name it."""
    path: str
    """Absolute."""
    files: tuple[ShippedFile, ...]
    weights: str | None = None
    """Where it belongs in a folder of weights, for files that are found by their names."""

    @property
    def key(self) -> str:
        """Stands for path, sizes and times."""
        return hashlib.sha256(repr(self).encode(errors="surrogateescape")).hexdigest()[:20]

    def is_here(self) -> bool:
        """Whether the same files lie on this machine."""
        return bool(self.files) and all(
            _describe(Path(self.path), file.name) == file for file in self.files
        )

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """The number of a file, and the next bytes of it. Raises OSError where it has gone."""
        for number, file in enumerate(self.files):
            with (Path(self.path) / file.name).open("rb") as stream:
                yield number, b""
                while data := stream.read(PIECE):
                    yield number, data


def list_shipments(plan: Plan, work: Work) -> tuple[Shipment, ...]:
    """All that a work reads besides vidstyle itself: the clip first."""
    parts, own = make_parts(plan), Path(vidstyle.__file__).parent
    named = [str(work.input), *plan.plugins, *(side.path for side in plan.inputs)]
    for planned in plan.every:
        named += _files_in(planned.options)
    found = {name: _shipment(Path(name)) for name in named}
    for stage in parts.stages:
        for path in stage.files():
            # What options do not name is sought by its name where weights lie.
            if own not in path.parents and not {str(path), str(path.absolute())} & found.keys():
                folder = "styles/" if path.parent.name == "styles" else ""
                found[str(path)] = _shipment(path, weights=f"{folder}{path.name}")
    return tuple(found.values())


def missing_here(shipments: Iterable[Shipment], folder: Path) -> list[int]:
    """Numbers of those that neither lie on this machine nor were copied to ``folder``."""
    return [
        number
        for number, each in enumerate(shipments)
        if not each.is_here() and not _copy_of(each, folder).exists()
    ]


def copy_here(shipment: Shipment, folder: Path, pieces: Iterable[tuple[int, bytes]]) -> None:
    """Write a copy below ``folder``, whole or not at all; one process of a machine does it."""
    target = _root_of(shipment, folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder / f"{shipment.key}.lock"):
        if target.exists():
            return
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for number, data in pieces:
            path = partial / _place_of(shipment, shipment.files[number])
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(data)
        partial.rename(target)


def localize(
    plan: Plan, work: Work, shipments: Sequence[Shipment], folder: Path
) -> tuple[Plan, Work]:
    """The same with the paths of this machine; weights that were copied are found there."""
    paths = {each.name: str(_found(each, folder)) for each in shipments}
    weights = [each for each in shipments if each.weights is not None]
    if weights:
        os.environ["VIDSTYLE_WEIGHTS"] = str(_link_weights(weights, folder))
    changed = replace(
        plan,
        source=_renamed(plan.source, paths),
        stages=tuple(_renamed(stage, paths) for stage in plan.stages),
        sink=_renamed(plan.sink, paths),
        plugins=tuple(paths.get(name, name) for name in plan.plugins),
        inputs=tuple(replace(i, path=paths.get(i.path, i.path)) for i in plan.inputs),
    )
    return changed, replace(work, input=Path(paths.get(str(work.input), work.input)))


def _shipment(path: Path, weights: str | None = None) -> Shipment:
    names = [""]
    if path.is_dir():
        every = (each for each in path.rglob("*") if each.is_file())
        names = sorted(str(each.relative_to(path)) for each in every if _counts(each, path))
    described = [_describe(path, name) for name in names]
    files = tuple(file for file in described if file is not None)
    return Shipment(str(path), str(path.absolute()), files, weights)


def _counts(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    return not any(part.startswith(".") or part == "__pycache__" for part in parts)


def _describe(path: Path, name: str) -> ShippedFile | None:
    try:
        facts = (path / name).stat()
    except OSError:
        return None
    return ShippedFile(name, facts.st_size, facts.st_mtime_ns)


def _files_in(value: Any) -> Iterator[str]:
    if names_file(value):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _files_in(item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _files_in(name)
            yield from _files_in(item)


def _renamed(stage: PlannedStage, paths: Mapping[str, str]) -> PlannedStage:
    return replace(stage, options=_replaced(stage.options, paths.get))


def _replaced(value: Any, rename: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return rename(value, value)
    if isinstance(value, list | tuple):
        return [_replaced(item, rename) for item in value]
    if isinstance(value, Mapping):
        return {rename(name, name): _replaced(item, rename) for name, item in value.items()}
    return value


def _root_of(shipment: Shipment, folder: Path) -> Path:
    return folder / shipment.key


def _place_of(shipment: Shipment, file: ShippedFile) -> str:
    """Where a file lies in its copy, which keeps the name: suffixes count."""
    return (
        str(Path(Path(shipment.path).name) / file.name) if file.name else Path(shipment.path).name
    )


def _copy_of(shipment: Shipment, folder: Path) -> Path:
    return _root_of(shipment, folder) / Path(shipment.path).name


def _found(shipment: Shipment, folder: Path) -> Path:
    """Where it lies on this machine."""
    return Path(shipment.path) if shipment.is_here() else _copy_of(shipment, folder)


def _link_weights(weights: Sequence[Shipment], folder: Path) -> Path:
    """A folder of all weights, by the names that they are sought by."""
    found = folder / _WEIGHTS
    for each in weights:
        assert each.weights is not None
        link = found / each.weights
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            partial = link.with_name(f".{link.name}.{os.getpid()}")
            partial.symlink_to(_found(each, folder))
            partial.replace(link)
    return found
