"""Flows that judge: each figure is labelled with the name of the one behind it."""

from __future__ import annotations

from vidstyle.core.layers import HostArray
from vidstyle.imaging.grey import grey8
from vidstyle.stages.flow.farneback import FarnebackOptions, expansion_flow


def farneback(first: HostArray, second: HostArray) -> HostArray:
    """Flow (H, W, 2) from ``first`` to ``second``, (H, W, 3) RGB in [0, 1], at the defaults.

    Fit to judge blends that used another flow, such as DIS.
    """
    return expansion_flow(grey8(first), grey8(second), FarnebackOptions())
