"""Metrics of single frames beside the per-frame baseline: SSIM, sharpness, ghosting, cut bleed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.evaluation.frame_groups import zip_clips
from vidstyle.evaluation.motion import PairMotion
from vidstyle.evaluation.scores import Quotient
from vidstyle.imaging.dead_pixels import find_dead
from vidstyle.imaging.visibility import BoolMask


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrameComparison:
    """A frame beside the same one painted alone; images are (H, W, 3) RGB in [0, 1]."""

    frame: HostArray
    alone: HostArray
    motion: PairMotion | None
    """From the frame before; None on the first frame of a shot."""
    after_cut: bool


Measure: TypeAlias = Callable[[FrameComparison], tuple[float, float] | None]
"""Top and bottom of one frame; None where the figure is not defined."""


def _ssim(now: FrameComparison) -> tuple[float, float]:
    return ssim(now.frame, now.alone), 1.0


def _sharpness(now: FrameComparison) -> tuple[float, float]:
    return edge_variance(now.frame), edge_variance(now.alone)


def _ghosting(now: FrameComparison) -> tuple[float, float] | None:
    if now.motion is None:
        return None
    return _difference(now, now.motion.near_occlusions)


def _cut_bleed(now: FrameComparison) -> tuple[float, float] | None:
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


def _difference(now: FrameComparison, where: BoolMask | None) -> tuple[float, float] | None:
    """Sum and number of the differences to the frame painted alone."""
    difference = cv2.absdiff(now.frame, now.alone)
    chosen = difference if where is None else difference[where]
    return (float(chosen.sum(dtype=np.float64)), chosen.size) if chosen.size else None


_STABILISERS = (0.01**2, 0.03**2)
_SIGMA, _WINDOW = 1.5, 11


def ssim(first: HostArray, second: HostArray) -> float:
    """SSIM of the luma of two images (Wang et al. 2004), -1 to 1; 1 where they are equal.

    Gaussian window of 11 pixels with sigma 1.5. Images are (H, W, 3) RGB in [0, 1]; pixels whose
    window leaves the image are left out where any other remain.
    """
    x, y = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) for image in (first, second))
    mean_x, mean_y = _local(x), _local(y)
    variance_x = _local(x * x) - mean_x**2
    variance_y = _local(y * y) - mean_y**2
    covariance = _local(x * y) - mean_x * mean_y
    c1, c2 = _STABILISERS
    likeness = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    )
    margin = _WINDOW // 2
    inner = likeness[margin:-margin, margin:-margin]
    return float((inner if inner.size else likeness).mean())


def _local(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (_WINDOW, _WINDOW), _SIGMA))


def sharpness(clip: Iterable[HostArray], per_frame: Iterable[HostArray]) -> float:
    """``Var(∇²O) / Var(∇²P)``, each the mean over frames of the variance of the Laplacian.

    1 where the clip is as crisp as the frames on their own; at least 0.85 is asked of a blend.
    ClipFrames are (H, W, 3) in [0, 1]. Raises InputError where the clips differ in length or size.
    """
    ratio = Quotient()
    for frame, alone in zip_clips([("the clip", clip), ("the per-frame clip", per_frame)]):
        ratio.add(edge_variance(frame), edge_variance(alone))
    return 1.0 if ratio.value is None else ratio.value


def edge_variance(frame: HostArray) -> float:
    """Variance of the Laplacian of a frame (H, W, 3), its edge repeated, over all channels."""
    edges = cv2.Laplacian(frame, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    return float(edges.var(dtype=np.float64))


def mean_gradient(frame: HostArray) -> float:
    """G: the mean squared difference of neighbors, across plus down, of a frame (H, W, 3).

    0 in a direction in which the frame has one pixel.
    """
    differences = [np.square(np.diff(frame, axis=axis)) for axis in (1, 0)]
    return sum(float(one.mean(dtype=np.float64)) for one in differences if one.size)
