"""Metrics of single frames beside the per-frame baseline: SSIM, sharpness, ghosting, cut bleed.

Each gives a numerator and a denominator, which are added up over the frames of a clip.
"""

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

# Of Wang et al. 2004: (K1 L)² and (K2 L)² for a range L of 1.
_STABILIZERS = (0.01**2, 0.03**2)
_SIGMA, _WINDOW = 1.5, 11


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrameComparison:
    """A frame beside its per-frame baseline; images are (H, W, 3) RGB in [0, 1]."""

    frame: HostArray
    per_frame: HostArray
    motion: PairMotion | None
    """From the frame before; None on the first frame of a shot."""
    after_cut: bool


FrameMetric: TypeAlias = Callable[[FrameComparison], tuple[float, float] | None]
"""Numerator and denominator of one frame; None where the metric is not defined."""


def _ssim(now: FrameComparison) -> tuple[float, float]:
    return ssim(now.frame, now.per_frame), 1.0


def _sharpness(now: FrameComparison) -> tuple[float, float]:
    return edge_variance(now.frame), edge_variance(now.per_frame)


def _ghosting(now: FrameComparison) -> tuple[float, float] | None:
    if now.motion is None:
        return None
    return _difference(now, now.motion.near_occlusions)


def _cut_bleed(now: FrameComparison) -> tuple[float, float] | None:
    return _difference(now, None) if now.after_cut else None


FRAME_METRICS: Mapping[str, FrameMetric] = MappingProxyType(
    {"ssim": _ssim, "sharpness": _sharpness, "ghosting": _ghosting, "cut_bleed": _cut_bleed}
)
"""By their names in ``scores.METRICS``."""


def ssim(first: HostArray, second: HostArray) -> float:
    """Measure the structural similarity of the luma of two images.

    Gaussian window of 11 pixels with sigma 1.5. Pixels whose window leaves the image are left out
    where any other remain.

    Args:
        first: (H, W, 3) RGB in [0, 1].
        second: Of the same shape.

    Returns:
        -1 to 1; 1 where they are equal.

    References:
        Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity.
    """
    x, y = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) for image in (first, second))
    mean_x, mean_y = _local(x), _local(y)
    variance_x = _local(x * x) - mean_x**2
    variance_y = _local(y * y) - mean_y**2
    covariance = _local(x * y) - mean_x * mean_y
    c1, c2 = _STABILIZERS
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    )
    margin = _WINDOW // 2
    inner = similarity[margin:-margin, margin:-margin]
    return float((inner if inner.size else similarity).mean())


def sharpness(clip: Iterable[HostArray], per_frame: Iterable[HostArray]) -> float:
    """Measure ``Var(∇²O) / Var(∇²P)``, each the mean over frames of the variance of the Laplacian.

    It guards against a low warping error that is nothing but blur.

    Args:
        clip: Frames (H, W, 3) RGB in [0, 1].
        per_frame: The per-frame baseline.

    Returns:
        1 where the clip is as sharp as the baseline; a blend should reach 0.85.

    Raises:
        InputError: The clips differ in length or size.
    """
    ratio = Quotient()
    for frame, other in zip_clips([("the clip", clip), ("the per-frame clip", per_frame)]):
        ratio.add(edge_variance(frame), edge_variance(other))
    return 1.0 if ratio.value is None else ratio.value


def edge_variance(frame: HostArray) -> float:
    """Give the variance of the Laplacian of a frame, its edge repeated, over channels.

    Args:
        frame: (H, W, 3) RGB in [0, 1].

    Returns:
        At least 0.
    """
    edges = cv2.Laplacian(frame, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    return float(edges.var(dtype=np.float64))


def mean_gradient(frame: HostArray) -> float:
    """Give G: the mean squared difference of neighbors, across plus down.

    Args:
        frame: (H, W, 3) RGB in [0, 1].

    Returns:
        At least 0; a direction in which the frame has one pixel adds nothing.
    """
    differences = [np.square(np.diff(frame, axis=axis)) for axis in (1, 0)]
    return sum(float(one.mean(dtype=np.float64)) for one in differences if one.size)


def count_dead(frame: HostArray, source: HostArray, *, allowed_blobs: float) -> tuple[int, int]:
    """Count the dead pixels and the blobs of a frame.

    Pixels in runs and those that are not finite count as pixels; those in blobs do not.

    Args:
        frame: (H, W, 3) RGB in [0, 1].
        source: Of the same shape.
        allowed_blobs: ``allowed_fraction`` of ``find_dead``.

    Returns:
        Dead pixels, and blobs.
    """
    dead = find_dead(frame, source, allowed_fraction=allowed_blobs)
    return int(np.count_nonzero(dead.pixels | dead.runs | dead.not_finite)), dead.blob_count


def _difference(now: FrameComparison, where: BoolMask | None) -> tuple[float, float] | None:
    """Sum and number of the differences to the per-frame baseline."""
    difference = cv2.absdiff(now.frame, now.per_frame)
    chosen = difference if where is None else difference[where]
    return (float(chosen.sum(dtype=np.float64)), chosen.size) if chosen.size else None


def _local(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (_WINDOW, _WINDOW), _SIGMA))
