"""Sharpness against the per-frame clip: the guard against steadiness that is only blur."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.evaluation.quotient import Quotient
from vidstyle.evaluation.together import together


def sharpness(clip: Iterable[HostArray], per_frame: Iterable[HostArray]) -> float:
    """``Var(∇²O) / Var(∇²P)``, each the mean over frames of the variance of the Laplacian.

    1 where the clip is as crisp as the frames on their own; at least 0.85 is asked of a blend.
    Frames are (H, W, 3) in [0, 1]. Raises InputError where the clips differ in length or size.
    """
    ratio = Quotient()
    for frame, alone in together([("the clip", clip), ("the per-frame clip", per_frame)]):
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
