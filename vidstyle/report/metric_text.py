"""Figures in words: how they are written, and which end of each is the better one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

Better = Literal["lower", "higher", "near 0", "up to 1"]

BETTER: Final[dict[str, Better]] = {
    "e_warp": "lower",
    "e_warp_long": "lower",
    "e_warp_first": "lower",
    "e_stab": "lower",
    "warping_error_reduction": "higher",
    "warping_error_reduction_long": "higher",
    "relative_warping_error": "lower",
    "ssim": "higher",
    "lpips": "lower",
    # Crisper than the frames on their own is no better than as crisp.
    "sharpness": "up to 1",
    "style_loss_ratio": "lower",
    "ghosting": "lower",
    "cut_bleed": "lower",
    "static_deviation": "lower",
    "luma_slope": "near 0",
    "dead_pixels": "lower",
    "dead_blobs": "lower",
}
"""By the names of ``METRICS``; those of the source and the per-frame painting judge no clip."""


def shown(value: float) -> str:
    """A figure in four digits."""
    if not math.isfinite(value):
        return "not finite"
    if value != 0 and abs(value) < 1e-4:
        return f"{value:.2e}"
    return f"{value:.4g}"


def best(name: str, values: Sequence[float | None]) -> frozenset[int]:
    """Which of the values are the best; none where fewer than two are known or all look the same.

    Values that are written alike count as equal, as nobody could tell why one is marked.
    """
    known = {at: v for at, v in enumerate(values) if v is not None and math.isfinite(v)}
    if name not in BETTER or len({shown(value) for value in known.values()}) < 2:
        return frozenset()
    badness = {at: _badness(BETTER[name], float(shown(value))) for at, value in known.items()}
    least = min(badness.values())
    winners = frozenset(at for at, bad in badness.items() if bad == least)
    return winners if len(winners) < len(known) else frozenset()


def _badness(better: Better, value: float) -> float:
    match better:
        case "lower":
            return value
        case "higher":
            return -value
        case "near 0":
            return abs(value)
        case "up to 1":
            return -min(value, 1.0)
