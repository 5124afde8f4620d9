"""What a run's frames depend on, as hashes: a run resumes only where all are equal."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import vidstyle
from vidstyle.core.errors import InputError
from vidstyle.core.plan import Plan
from vidstyle.runner.plan.assembly import Assembly

_LIBRARIES = ("av", "numpy", "opencv-contrib-python-headless", "openvino", "torch", "torchvision")
# Bytes. A larger file is looked at in so many places: to read hundreds of gigabytes takes too
# long. Its length counts as well, and what is decoded where a run goes on.
_WHOLE = 256 * 2**20
_SAMPLES, _SAMPLE = 256, 2**20


def identity(assembly: Assembly, plan: Plan, original: Path) -> dict[str, str]:
    """Hashes by what they are of, in the words of messages.

    Raises InputError where the input cannot be read.
    """
    weights = (path for stage in assembly.stages for path in stage.files())
    return {
        "pipeline": plan.digest(),
        "input": _input_digest(original),
        "weights": _digest(_named_digests(weights)),
        "version": _digest(_code(assembly)),
    }


def stage_identities(assembly: Assembly, plan: Plan) -> list[str]:
    """For each stage a hash of what the layers that it writes depend on besides those it reads."""
    code = _digest(_code(assembly))
    return [
        _digest([code, planned.identity(), *_named_digests(stage.files())])
        for planned, stage in zip(plan.stages, assembly.stages, strict=True)
    ]


def difference(kept: Mapping[str, str], wanted: Mapping[str, str]) -> str | None:
    """The first thing that is not as it was, or None."""
    return next((name for name, digest in wanted.items() if kept.get(name) != digest), None)


def look_of(path: Path) -> str:
    """Sizes and times of an input, which change where it is written to.

    Raises InputError where it cannot be read, or is not there any more.
    """
    try:
        files = sorted(entry for entry in path.iterdir()) if path.is_dir() else [path]
        return _digest(
            f"{file.name} {(facts := file.stat()).st_size} {facts.st_mtime_ns}" for file in files
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _input_digest(path: Path) -> str:
    if path.is_dir():
        return look_of(path)
    try:
        return _file_digest(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _named_digests(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield f"{path.name} {_file_digest(path)}"


def _file_digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=20)
    with path.open("rb") as file:
        size = path.stat().st_size
        digest.update(str(size).encode())
        if size <= _WHOLE:
            while block := file.read(_SAMPLE):
                digest.update(block)
        else:
            for number in range(_SAMPLES):
                file.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _code(assembly: Assembly) -> Iterator[str]:
    """Our own sources, those of plugins, and the libraries that make pixels."""
    yield vidstyle.__version__
    package = Path(vidstyle.__file__).parent
    files = sorted(package.rglob("*.py"))
    for stage in (assembly.source, *assembly.stages, assembly.sink):
        try:
            file = Path(inspect.getfile(type(stage)))
        except (OSError, TypeError):
            continue
        if package not in file.parents:
            files.append(file)
    yield from _named_digests(files)
    for library in _LIBRARIES:
        try:
            yield f"{library} {version(library)}"
        except PackageNotFoundError:
            yield f"{library} is not there"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.blake2b(
        "\n".join(parts).encode(errors="surrogateescape"), digest_size=20
    ).hexdigest()
