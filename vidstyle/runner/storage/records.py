"""What is kept beside outputs: one hidden folder in each folder that has some.

``NAME.json`` is the manifest of the output NAME: its stamp, and how to make it again.
``STEM-KEY.work`` is the store of an interrupted run: KEY stands for the frames that it computes, so
that a run with other options has a store of its own. ``NAME.lock`` is held by the run that makes
NAME, ``STEM.partial.SUFFIX`` is the output while it is being joined. ``ID.claim`` and its lock are
those of a batch at work. The folder goes with its last file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidstyle.core.errors import OutputError
from vidstyle.runner.plan.identity import content_digest
from vidstyle.runner.plan.stamp import Stamp, stamp_from_json
from vidstyle.runner.storage.locks import explain_removal, hold_lock

FOLDER = ".vidstyle"
WORK = ".work"
_VERSION = 1
_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Look:
    """How a file, or a folder of images, lies there: by size and time, and by content."""

    size: int
    time: int
    """When it was written last, in nanoseconds."""
    digest: str
    """SHA-256 of the content."""

    def matches(self, path: Path) -> bool:
        """Whether it lies there still; its content is read only where its time is another one."""
        try:
            size, time = size_and_time(path)
        except OSError:
            return False
        return size == self.size and (time == self.time or content_digest(path) == self.digest)


def look_at(path: Path) -> Look:
    """How it lies there now. Raises OSError or InputError where nothing does."""
    return Look(*size_and_time(path), content_digest(path))


def size_and_time(path: Path) -> tuple[int, int]:
    """Bytes, and when it was written last in nanoseconds; of a folder those of all its files."""
    files = [each for each in path.iterdir() if each.is_file()] if path.is_dir() else [path]
    facts = [each.stat() for each in files]
    return sum(f.st_size for f in facts), max((f.st_mtime_ns for f in facts), default=0)


@dataclass(frozen=True, slots=True)
class Entry:
    """The manifest of one output."""

    stamp: Stamp
    output: Look
    source: str
    """Path of the input."""
    source_look: str
    """Its size and time, hashed: where they are the same, it is not read again."""
    recipe: Mapping[str, Any]
    """All that makes the output again, as JSON."""
    frames: int
    digest: str
    """Hash of all frames' hashes, in order."""
    version: str
    """Of vidstyle."""
    times: Sequence[Sequence[int]]
    """When each frame is shown, as ``shorten_times`` writes it."""
    interval: tuple[str, str] | None
    """Seconds of the input from and to which its other streams are kept, as fractions."""
    machine: Mapping[str, str]
    """What computed it: no part of the stamp, but worth naming where another one differs."""
    made: str
    """When, in UTC."""


@dataclass(frozen=True, slots=True)
class Records:
    """The hidden folder of a folder with outputs."""

    parent: Path
    """The folder with the outputs."""

    @property
    def folder(self) -> Path:
        """The hidden one."""
        return self.parent / FOLDER

    def read(self, output: Path) -> Entry | None:
        """The manifest of an output; None where there is none that can be read."""
        try:
            facts = json.loads(self._manifest(output).read_text(encoding="utf-8"))
            if facts.pop("format") != _VERSION:
                return None
            stamp, look = stamp_from_json(facts.pop("stamp")), Look(**facts.pop("output"))
            entry = Entry(stamp=stamp, output=look, **facts)
            return entry if _is_sound(entry) else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def entries(self) -> Iterator[tuple[Path, Entry]]:
        """The outputs of the folder that have a manifest, with it."""
        with suppress(OSError):
            for manifest in sorted(self.folder.glob("*.json")):
                output = self.parent / manifest.stem
                if (entry := self.read(output)) is not None:
                    yield output, entry

    def write(self, output: Path, entry: Entry) -> None:
        """Keep the manifest of an output, whole or not at all. Raises OutputError."""
        path = self._manifest(output)
        partial = path.with_name(f"{path.name}.partial")
        facts = {"format": _VERSION, **asdict(entry)}
        try:
            partial.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            raise OutputError(
                f"cannot write {path}: {error.strerror}; free some space or choose another -o"
            ) from error

    @contextmanager
    def work(self, output: Path, key: str) -> Iterator[Path]:
        """The store of a run, held against other runs.

        Raises LockedError where another run computes the same frames, and OutputError.
        """
        path = self.folder / f"{output.stem}-{key[:_KEY_LENGTH]}{WORK}"
        with hold_lock(lock_of(path), f"another run is computing the frames of {output}"):
            yield path

    def works(self, output: Path | None = None) -> list[Path]:
        """The stores of interrupted runs: of one output, with any options, or of all."""
        with suppress(OSError):
            found = (path for path in self.folder.iterdir() if path.suffix == WORK)
            return sorted(
                path
                for path in found
                if output is None or path.stem[: -_KEY_LENGTH - 1] == output.stem
            )
        return []

    def _manifest(self, output: Path) -> Path:
        return self.folder / f"{output.name}.json"


def _is_sound(entry: Entry) -> bool:
    """Whether each value is of its type: a manifest may come from anybody."""
    texts = (entry.source, entry.source_look, entry.digest, entry.version, entry.made)
    numbers = (entry.frames, entry.output.size, entry.output.time)
    machine = entry.machine
    return (
        all(isinstance(text, str) for text in (*texts, entry.output.digest))
        and all(isinstance(number, int) for number in numbers)
        and isinstance(entry.recipe, dict)
        and isinstance(machine, dict)
        and all(isinstance(value, str) for value in machine.values())
    )


def lock_of(work: Path) -> Path:
    """The file that whoever uses a store holds."""
    return work.with_suffix(".lock")


def drop_work(work: Path) -> None:
    """Remove a store; for who holds it. Raises OutputError."""
    with explain_removal():
        for name in (work, work.with_name(f"{work.name}-journal")):
            name.unlink(missing_ok=True)
