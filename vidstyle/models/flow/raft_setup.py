"""What is decided before RAFT is loaded: its weights, and the scale of images. Without torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, get_args

from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.places import find_weights

RaftSize = Literal["small", "large"]
"""``small`` has 1 million parameters, ``large`` 5.3 million."""

MOST_PIXELS = 1280 * 720
"""That ``auto_scale`` compares: their correlations take 2 GiB, those of 4 times as many 33."""


def auto_scale(height: int, width: int) -> float:
    """Choose the scale at which images have at most ``MOST_PIXELS``.

    Args:
        height: In pixels.
        width: In pixels.

    Returns:
        In (0, 1].
    """
    return min(1.0, math.sqrt(MOST_PIXELS / (width * height)))


def find_raft(size: RaftSize, *, folder: Path | None = None, offline: bool = False) -> Path:
    """Find the file of RAFT's weights, or download it, as ``find_weights`` does.

    Args:
        size: Which of the authors' two networks.
        folder: Looked into first; None for the folder that ``VIDSTYLE_WEIGHTS`` names.
        offline: Whether not to download weights that are missing.

    Returns:
        The file.

    Raises:
        ValueError: There is no RAFT of that size.
        WeightsError: As ``find_weights`` does.
    """
    if size not in get_args(RaftSize):
        names = ", ".join(get_args(RaftSize))
        raise ValueError(f"there is no RAFT of size {size}; there are {names}")
    return find_weights(CATALOG[f"raft-{size}"], folder=folder, offline=offline)
