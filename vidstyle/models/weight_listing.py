"""Which of the catalogue's weights lie on this machine, and whether they are the right ones.

Usable without torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidstyle.core.errors import WeightsError
from vidstyle.models.download import checksum_file, sha256_of
from vidstyle.models.raft_weights import RAFT_FILES, RaftSize
from vidstyle.models.weight_catalogue import CATALOGUE, KNOWN_FILES, WeightFile, stated_digits
from vidstyle.models.weight_places import where_it_lies

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


def listed(name: str) -> WeightFile:
    """The catalogue's entry. Raises WeightsError for a name that there is not."""
    if name not in CATALOGUE:
        raise WeightsError(f"there are no weights {name!r}; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def lies_at(entry: WeightFile) -> Path | None:
    """The file that would be used: the official one, or another that is known to do."""
    return where_it_lies(entry.name, _names(entry))


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
