"""Hashes of what a run's frames depend on: sources, weights, code."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import vidstyle
from vidstyle.core.errors import InputError
from vidstyle.core.plan import Plan
from vidstyle.core.stage import AnyStage
from vidstyle.runner.plan.assembly import Assembly

_LIBRARIES = ("av", "numpy", "opencv-contrib-python-headless", "openvino", "torch", "torchvision")
_BLOCK = 2**20


def code_digest(assembly: Assembly) -> str:
    """Hash of our own sources, those of plugins, and the versions of libraries that make pixels.

    Frames of an interrupted run are joined with others of equal code alone.
    """
    return _digest(_code(assembly))


def own_code_digest() -> str:
    """Hash of our own sources, and of the versions of libraries that make pixels."""
    return _digest(_own_code())


def stage_identities(assembly: Assembly, plan: Plan) -> list[str]:
    """For each stage a hash of what the layers that it writes depend on besides those it reads."""
    code = _digest(_code(assembly))
    # What is reduced counts in pixels of the full size: equal frames do not give equal layers then.
    return [
        _digest(
            [code, planned.identity(), str(planned.clip.full_size), *_named_digests(stage.files())]
        )
        for planned, stage in zip(plan.stages, assembly.stages, strict=True)
    ]


def look_of(path: Path) -> str:
    """Sizes and times of an input, which change where it is written to.

    Raises InputError where it cannot be read, or is not there any more.
    """
    with _explain(path):
        return _digest(
            f"{file.name} {(facts := file.stat()).st_size} {facts.st_mtime_ns}"
            for file in _files(path)
        )


def content_digest(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files.

    Raises InputError where it cannot be read, or is not there any more.
    """
    with _explain(path):
        if path.is_dir():
            return hashlib.sha256(
                "\n".join(_named_digests(_files(path))).encode(errors="surrogateescape")
            ).hexdigest()
        return _file_digest(path)


def file_digests(stage: AnyStage) -> list[str]:
    """SHA-256 of each file that a stage's pixels depend on, in its order."""
    return [_file_digest(path) for path in stage.files()]


def plugin_digest(stage: object) -> str | None:
    """Hash of the file that a stage comes from; None where that is ours."""
    file = _foreign_file(stage)
    return None if file is None else _file_digest(file)


def _files(path: Path) -> list[Path]:
    """The files of a folder, hidden ones left out; or the file itself."""
    if not path.is_dir():
        return [path]
    return sorted(
        entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")
    )


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _named_digests(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield f"{path.name} {_file_digest(path)}"


def _file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _code(assembly: Assembly) -> Iterator[str]:
    """Our own sources, the libraries that make pixels, and the sources of plugins."""
    yield from _own_code()
    stages = (assembly.source, *assembly.stages, assembly.sink)
    yield from _named_digests(file for file in map(_foreign_file, stages) if file is not None)


def _foreign_file(stage: object) -> Path | None:
    """The file of a plugin's stage."""
    try:
        file = Path(inspect.getfile(type(stage)))
    except (OSError, TypeError):
        return None
    return None if Path(vidstyle.__file__).parent in file.parents else file


@cache
def _own_code() -> tuple[str, ...]:
    """Of this process: what it has imported stays as it is."""
    files = sorted(Path(vidstyle.__file__).parent.rglob("*.py"))
    libraries = (f"{name} {number}" for name, number in library_versions().items())
    return (vidstyle.__version__, *_named_digests(files), *libraries)


def library_versions() -> dict[str, str]:
    """Of the libraries that make pixels, by name."""
    return {library: _version(library) for library in _LIBRARIES}


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.blake2b(
        "\n".join(parts).encode(errors="surrogateescape"), digest_size=20
    ).hexdigest()
