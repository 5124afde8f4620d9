"""Stores of interrupted runs: what there is, and how long and how large it may get.

A run never removes the work of a run with other options, but for what is too old or too much.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.clip import Note
from vidstyle.core.errors import LockedError
from vidstyle.runner.storage.locks import hold_lock
from vidstyle.runner.storage.records import FOLDER, Records, drop_work, lock_of

OLDEST = 30
"""Days that partial work is kept."""
LARGEST = 20 * 2**30
"""Bytes of the partial work in one folder."""
_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class PartialWork:
    """One store."""

    path: Path
    size: int
    """Bytes."""
    days: float
    """Since it was written to."""

    def frames(self) -> int | None:
        """How many it holds; None where a run is writing to it, or it is damaged."""
        query = (
            "select (select coalesce(sum(frames), 0) from segment)"
            " + (select coalesce(sum(frames), 0) from pause)"
        )
        try:
            # Only looked at: a store that is opened may be repaired, or replaced.
            address = f"{self.path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=0)) as database:
                (count,) = database.execute(query).fetchone()
                return int(count)
        except (sqlite3.Error, ValueError):
            return None


def find_partial_work(folder: Path) -> list[PartialWork]:
    """All stores in a folder and those below it."""
    parents = sorted(hidden.parent for hidden in folder.rglob(FOLDER) if hidden.is_dir())
    return [work for parent in parents for work in _works(Records(parent))]


def remove_unused(work: PartialWork) -> bool:
    """Remove a store; False where a run is using it."""
    try:
        with hold_lock(lock_of(work.path), ""):
            drop_work(work.path)
    except LockedError:
        return False
    return True


def limit_work(records: Records, output: Path, current: Path) -> Iterator[Note]:
    """Remove what is too old or too much, and name what other options have left of the output."""
    works = sorted(_works(records), key=lambda work: work.days)
    total = 0
    for work in works:
        total += work.size
        if work.path == current or (work.days <= OLDEST and total <= LARGEST):
            continue
        if remove_unused(work):
            why = f"older than {OLDEST} days" if work.days > OLDEST else "beyond 20 GiB in all"
            yield Note("clean", f"partial work {work.path.name} was removed: {why}")
    if others := [path for path in records.works(output) if path != current]:
        results = "a partial result" if len(others) == 1 else f"{len(others)} partial results"
        yield Note("resume", f"{results} with other options kept; `vidstyle clean` removes such")


def _works(records: Records) -> Iterator[PartialWork]:
    for path in records.works():
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        yield PartialWork(path, facts.st_size, (time.time() - facts.st_mtime) / _DAY)
