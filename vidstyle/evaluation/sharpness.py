"""Sharpness against the per-frame clip: the guard against steadiness that is only blur."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.evaluation.together import together


def sharpness(clip: Iterable[HostArray], per_frame: Iterable[HostArray]) -> float:
    """``Var(∇²O) / Var(∇²P)``, each the mean over frames of the variance of the Laplacian.

    1 where the clip is as crisp as the frames on their own; at least 0.85 is asked of a blend.
    Frames are (H, W, 3) in [0, 1]. Raises InputError where the clips differ in length or size.
    """
    pairs = [(_variance(frame), _variance(alone)) for frame, alone in together(clip, per_frame)]
    blended, alone = np.sum(pairs, axis=0) if pairs else (0.0, 0.0)
    return float(blended / alone) if alone else 1.0


def _variance(frame: HostArray) -> float:
    edges = cv2.Laplacian(frame, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
    return float(edges.var(dtype=np.float64))
