"""The judge sees a known motion."""

from __future__ import annotations

import numpy as np

from vidstyle.evaluation.judging_flow import farneback
from vidstyle.testing import pan


def test_farneback_points_from_the_first_picture_to_the_second() -> None:
    frames = pan(frames=2, step=(2, -1)).frames
    flow = farneback(frames[0].host("source"), frames[1].host("source"))
    np.testing.assert_allclose(flow[20:-20, 20:-20].mean(axis=(0, 1)), (2, -1), atol=0.1)
