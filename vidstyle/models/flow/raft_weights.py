"""Where the weights of RAFT lie; usable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidstyle.models.weights.places import OFFICIAL, find_file

RaftSize = Literal["small", "large"]


@dataclass(frozen=True, slots=True)
class RaftFiles:
    """The files of one size of network, all in torchvision's keys."""

    official: str
    """Torchvision's own, which is downloaded where there is none."""
    others: tuple[str, ...]
    """Names that are as good; looked for before the official one."""

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the first one that is found counts."""
        return (*self.others, self.official)


RAFT_FILES: Mapping[RaftSize, RaftFiles] = {
    "small": RaftFiles(
        "raft_small_C_T_V2-01064c6d.pth",
        ("raft_small_torchvision.safetensors", "raft_small_torchvision.pth"),
    ),
    "large": RaftFiles(
        "raft_large_C_T_SKHT_V2-ff5fadd5.pth",
        ("raft_large_torchvision.safetensors", "raft_large_torchvision.pth"),
    ),
}


def find_raft(size: RaftSize, *, folder: Path | None = None, offline: bool = False) -> Path:
    """The file of RAFT's weights; see ``weight_places.find_file`` for where it is sought.

    Raises ValueError for a size that there is not, and WeightsError as ``find_file`` does.
    """
    if size not in RAFT_FILES:
        raise ValueError(f"there is no RAFT of size {size}; there are {', '.join(RAFT_FILES)}")
    files, name = RAFT_FILES[size], f"RAFT-{size}"
    address = OFFICIAL + files.official
    return find_file(name, files.names, address, folder=folder, offline=offline)
