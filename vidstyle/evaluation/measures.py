"""Figures of single frames, each as what goes above and below the line when frames add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.evaluation.motion import Motion
from vidstyle.evaluation.sharpness import edge_variance
from vidstyle.evaluation.similarity import ssim
from vidstyle.imaging.dead_pixels import find_dead
from vidstyle.imaging.visibility import BoolMask


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Beside:
    """A frame beside the same one painted alone; images are (H, W, 3) RGB in [0, 1]."""

    frame: HostArray
    alone: HostArray
    motion: Motion | None
    """From the frame before; None on the first frame of a shot."""
    after_cut: bool


Measure: TypeAlias = Callable[[Beside], tuple[float, float] | None]
"""Top and bottom of one frame; None where the figure is not defined."""


def _ssim(now: Beside) -> tuple[float, float]:
    return ssim(now.frame, now.alone), 1.0


def _sharpness(now: Beside) -> tuple[float, float]:
    return edge_variance(now.frame), edge_variance(now.alone)


def _ghosting(now: Beside) -> tuple[float, float] | None:
    if now.motion is None:
        return None
    return _difference(now, now.motion.near_occlusions)


def _cut_bleed(now: Beside) -> tuple[float, float] | None:
    return _difference(now, None) if now.after_cut else None


BESIDE_PER_FRAME: Mapping[str, Measure] = MappingProxyType(
    {"ssim": _ssim, "sharpness": _sharpness, "ghosting": _ghosting, "cut_bleed": _cut_bleed}
)
"""Measures by the names of their figures."""


def dead_counts(frame: HostArray, source: HostArray, *, allowed_blobs: float) -> tuple[int, int]:
    """How many pixels of a frame are dead, and how many blobs it has: see ``find_dead``.

    Pixels in runs and those that are not finite count as pixels; those in blobs do not.
    """
    dead = find_dead(frame, source, allowed_share=allowed_blobs)
    return int(np.count_nonzero(dead.pixels | dead.runs | dead.not_finite)), dead.blob_count


def _difference(now: Beside, where: BoolMask | None) -> tuple[float, float] | None:
    """Sum and number of the differences to the frame painted alone."""
    difference = cv2.absdiff(now.frame, now.alone)
    chosen = difference if where is None else difference[where]
    return (float(chosen.sum(dtype=np.float64)), chosen.size) if chosen.size else None
