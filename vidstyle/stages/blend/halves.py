"""What the blend knows of a frame at half size, and how the sources of two frames compare there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.bands import repeat_plane
from vidstyle.imaging.contrast import detail_edges
from vidstyle.imaging.derived import halve, halve_flow, halve_positions, luma_plane
from vidstyle.imaging.warp import sample
from vidstyle.kernels.half import (
    FollowedSource,
    compare_sources,
    follow_source,
    halve_image,
    halve_source,
    move_towards,
)
from vidstyle.kernels.library import can_run, has_kernels


@dataclass(frozen=True, slots=True, eq=False)
class HalvedImage:
    """A stylized frame at half size."""

    half: HostArray
    """(h, w, 3)."""
    edges: HostArray
    """The frame's ``detail_edges``, (h, w)."""


@dataclass(frozen=True, slots=True, eq=False)
class HalvedSource:
    """A source, its luma, and both at half size."""

    luma: HostArray
    """(H, W)."""
    half: HostArray
    """(h, w, 3)."""
    half_luma: HostArray
    """(h, w)."""


def reduce_image(image: HostArray) -> HalvedImage:
    """Halve a stylized frame (H, W, 3)."""
    if can_run(*image.shape[:2]):
        return HalvedImage(*halve_image(image))
    return HalvedImage(halve(image), detail_edges(image))


def reduce_source(source: HostArray) -> HalvedSource:
    """Halve a source (H, W, 3)."""
    if can_run(*source.shape[:2]):
        return HalvedSource(*halve_source(source))
    half = halve(source)
    return HalvedSource(luma_plane(source), half, luma_plane(half))


def follow(flow: HostArray, now: HostArray, before: HostArray) -> FollowedSource:
    """Bring the source ``before`` along the flow (H, W, 2) onto the grid of the source ``now``.

    Sources are (h, w, 3), at half size.
    """
    if can_run(*flow.shape[:2]):
        return follow_source(flow, now, before)
    half = halve_flow(flow)
    source = sample(before, *halve_positions(*half, flow.shape))
    luma = luma_plane(now)
    moved, stood = (np.square(luma - luma_plane(image)) for image in (source, before))
    return FollowedSource(source, np.asarray(cv2.magnitude(*half), np.float32), moved, stood)


def subtract_sources(
    now: HostArray, before: HostArray, still: HostArray | None, source: HostArray
) -> tuple[HostArray, HostArray]:
    """Put ``before`` into ``source``, which it was sampled to, where it is still; and compare.

    All are (h, w, 3), and ``still`` (h, w) in [0, 1]; None is 0. Gives the difference of ``now`` to
    the source, and its square, channels weighted like luma.
    """
    if has_kernels():
        return compare_sources(now, before, still, source)
    if still is not None:
        source += repeat_plane(still) * (before - source)
    difference = now - source
    return difference, luma_plane(np.square(difference))


def mix_sources(source: HostArray, history: HostArray, weight: HostArray) -> HostArray:
    """``source`` moved towards the history's, (h, w, 3), in that weight, (h, w)."""
    if has_kernels():
        return move_towards(source, history, weight)
    return np.asarray(source + repeat_plane(weight) * (history - source), np.float32)
