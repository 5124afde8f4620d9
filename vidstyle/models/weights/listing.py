"""Which of the catalog's weights lie on this machine, and whether they are the right ones.

Usable without torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidstyle.core.errors import WeightsError
from vidstyle.models.flow.raft_weights import RAFT_FILES, RaftSize
from vidstyle.models.weights.catalog import CATALOG, KNOWN_FILES, WeightFile, stated_digits
from vidstyle.models.weights.download import Watch, checksum_file, fetched, sha256_of, user_cache
from vidstyle.models.weights.places import find_official, where_it_lies

Verdict = Literal["right", "wrong", "unchanged", "changed", "unknown"]
"""Right and wrong: by its SHA-256 as published. Unchanged and changed: since it was fetched.
Unknown: nobody has said what its SHA-256 is."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Verified:
    """A file that was looked at."""

    path: Path
    sha256: str
    verdict: Verdict

    @property
    def serves(self) -> bool:
        """Whether nothing says that it is another file than it should be."""
        return self.verdict not in ("wrong", "changed")


@dataclass(frozen=True, slots=True)
class Pulled:
    """A file that is here."""

    path: Path
    is_new: bool
    """Whether it was fetched for that."""


def listed(name: str) -> WeightFile:
    """The catalog's entry. Raises WeightsError for a name that there is not."""
    if name not in CATALOG:
        raise WeightsError(f"there are no weights {name!r}; there are {', '.join(CATALOG)}")
    return CATALOG[name]


def lies_at(entry: WeightFile) -> Path | None:
    """The file that would be used: the official one, or another that is known to do."""
    return where_it_lies(entry.name, _names(entry))


def pulled(entry: WeightFile, *, offline: bool = False, watch: Watch | None = None) -> Pulled:
    """The official file in the cache, fetched if none is here.

    Of a file in the cache that is not the right one, too; it is kept until that has come.
    Raises WeightsError where it cannot be had, or where such a file lies elsewhere: what users
    have put into folders of theirs is not removed.
    """
    there = lies_at(entry)
    if there is None:
        return Pulled(find_official(entry, offline=offline, watch=watch), is_new=True)
    if verified(entry, there).serves:
        return Pulled(there, is_new=False)
    cache = user_cache("weights")
    if there != cache / entry.file:
        raise WeightsError(f"{there} is not the right file: remove it, and pull again")
    if offline:
        raise WeightsError(
            f"{there} is not the right file, and nothing is downloaded while offline: fetch"
            f" {entry.address} and put it there"
        )
    path = fetched(
        entry.address,
        cache,
        name=entry.file,
        checked=entry.checked,
        watch=watch,
        serves=lambda path: path.is_file() and verified(entry, path).serves,
    )
    return Pulled(path, is_new=True)


def verified(entry: WeightFile, path: Path) -> Verified:
    """Read a file and compare it with what is known of it. Raises WeightsError."""
    try:
        found = sha256_of(path)
        kept = checksum_file(path)
        at_first = kept.read_text(errors="replace")[:64] if kept.is_file() else ""
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from error
    return Verified(path, found, _verdict(entry, path, found, at_first))


def _verdict(entry: WeightFile, path: Path, found: str, at_first: str) -> Verdict:
    digits = entry.digits if path.name == entry.file else stated_digits(path.name)
    if digits:
        return "right" if found.startswith(digits) else "wrong"
    if _DIGEST.fullmatch(at_first):
        return "unchanged" if found == at_first else "changed"
    return "unknown"


def _names(entry: WeightFile) -> tuple[str, ...]:
    if entry.name in KNOWN_FILES:
        return tuple(KNOWN_FILES[entry.name])
    sizes: dict[str, RaftSize] = {f"raft-{size}": size for size in RAFT_FILES}
    return RAFT_FILES[sizes[entry.name]].names if entry.name in sizes else (entry.file,)
