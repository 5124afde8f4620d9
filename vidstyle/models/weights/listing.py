"""Which of the catalog's weights are on this machine, and whether they are the right ones.

Usable without torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights.catalog import CATALOG, WeightFile, stated_digits
from vidstyle.models.weights.download import (
    ReportBytes,
    checksum_file,
    fetch_file,
    sha256_of,
    user_cache,
)
from vidstyle.models.weights.places import find_weights, locate_weights

FileStatus = Literal["right", "wrong", "unchanged", "changed", "unknown"]
"""Right and wrong: by its SHA-256 as published. Unchanged and changed: since it was fetched.
Unknown: nobody has published its SHA-256."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileCheck:
    """The result of a check of a file."""

    path: Path
    sha256: str
    status: FileStatus

    @property
    def passed(self) -> bool:
        """Whether nothing shows that it is another file than it should be."""
        return self.status not in ("wrong", "changed")


@dataclass(frozen=True, slots=True)
class PulledFile:
    """A file that is on this machine."""

    path: Path
    is_new: bool
    """Whether it was fetched for that."""


def find_entry(name: str) -> WeightFile:
    """Return the catalog's entry of that name.

    Args:
        name: Of the entry.

    Returns:
        The entry.

    Raises:
        WeightsError: There is none; the message lists the names.
    """
    if name not in CATALOG:
        raise WeightsError(f"there are no weights {name!r}; there are {', '.join(CATALOG)}")
    return CATALOG[name]


def pull_weights(
    entry: WeightFile, *, offline: bool = False, report: ReportBytes | None = None
) -> PulledFile:
    """Find the weights of an entry on this machine, or fetch the official file to the cache.

    A file in the cache that is not the right one is replaced, once the right one has come.

    Args:
        entry: Of the catalog.
        offline: Whether not to download a file that is missing.
        report: Called with the progress.

    Returns:
        The file, and whether it is new.

    Raises:
        WeightsError: The file cannot be fetched, or a file elsewhere is not the right one: what
            users have put into their own folders is not replaced.
    """
    there = locate_weights(entry)
    if there is None:
        return PulledFile(find_weights(entry, offline=offline, report=report), is_new=True)
    if check_weights(entry, there).passed:
        return PulledFile(there, is_new=False)
    cache = user_cache("weights")
    if there != cache / entry.file:
        raise WeightsError(f"{there} is not the right file: remove it, and pull again")
    if offline:
        raise WeightsError(
            f"{there} is not the right file, and nothing is downloaded while offline: fetch"
            f" {entry.address} and put it there"
        )
    path = fetch_file(
        entry.address,
        cache,
        name=entry.file,
        checked=entry.checked,
        report=report,
        serves=lambda path: path.is_file() and check_weights(entry, path).passed,
    )
    return PulledFile(path, is_new=True)


def check_weights(entry: WeightFile, path: Path) -> FileCheck:
    """Compare the SHA-256 of a file with the one that was published, or with that when fetched.

    Args:
        entry: Of the catalog.
        path: The file.

    Returns:
        What was compared, and whether it agrees.

    Raises:
        WeightsError: The file cannot be read.
    """
    try:
        found = sha256_of(path)
        checksum = checksum_file(path)
        at_first = checksum.read_text(errors="replace")[:64] if checksum.is_file() else ""
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from error
    return FileCheck(path, found, _status(entry, path, found, at_first))


def _status(entry: WeightFile, path: Path, found: str, at_first: str) -> FileStatus:
    digits = entry.digits if path.name == entry.file else stated_digits(path.name)
    if digits:
        return "right" if found.startswith(digits) else "wrong"
    if _DIGEST.fullmatch(at_first):
        return "unchanged" if found == at_first else "changed"
    return "unknown"
