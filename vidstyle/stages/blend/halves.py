"""What the blend knows of a frame at half size, and how the sources of two frames compare there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import (
    NOISE_SIGMA,
    PIXEL_SIGMA,
    agreement_of_difference,
    exponent_of,
    soften_distance,
)
from vidstyle.imaging.bands import repeat_plane
from vidstyle.imaging.contrast import detail_edges
from vidstyle.imaging.derived import (
    half_gaussian,
    halve,
    halve_flow,
    halve_positions,
    luma_plane,
    smooth,
)
from vidstyle.imaging.warp import sample
from vidstyle.kernels.half import (
    ComparedSources,
    FollowedSource,
    compare_sources,
    follow_source,
    halve_image,
    halve_source,
    move_towards,
)
from vidstyle.kernels.library import can_run, has_kernels

STILL_SIGMA = 2.0
"""Pixels of the halved image around a still pixel that have to stand still, too."""
# Pixels a frame below which an area stands still, so that averaging cannot blur it.
_STILL = 0.25
NOISE_KERNEL = half_gaussian(NOISE_SIGMA)
"""Half of the Gaussian that differences are averaged with."""
_PIXEL_KERNEL, _REST_KERNEL = half_gaussian(PIXEL_SIGMA), half_gaussian(STILL_SIGMA)


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


def match_sources(
    now: HostArray,
    before: HostArray,
    found: FollowedSource,
    still: HostArray | None,
    *,
    tolerance: float,
) -> ComparedSources:
    """Compare a source with the one ``before``, where it was and along the flow.

    Args:
        now: (h, w, 3).
        before: (h, w, 3).
        found: The source before along the flow. It is put back where ``still`` says so.
        still: (h, w) in [0, 1]: where it stays where it was; None is 0.
        tolerance: As ``agreement`` has it.

    Returns:
        How they agree; still is also what ``still`` says.
    """
    if has_kernels():
        return compare_sources(
            now,
            before,
            found,
            still,
            noise=NOISE_KERNEL,
            pixel=_PIXEL_KERNEL,
            rest=_REST_KERNEL,
            exponent=exponent_of(tolerance),
            shortest=_STILL,
        )
    source = found.source
    rest = erode_softly((found.length < _STILL).astype(np.float32))
    if still is not None:
        source += repeat_plane(still) * (before - source)
        rest = np.maximum(still, rest)
    difference = now - source
    pixels = soften_distance(luma_plane(np.square(difference)))
    return ComparedSources(agreement_of_difference(difference, tolerance), pixels, rest)


def erode_softly(mask: HostArray) -> HostArray:
    """Give a mask of 0 and 1, (h, w), without its edges, softened."""
    soft = smooth(mask, STILL_SIGMA)
    soft *= np.float32(2)
    soft -= np.float32(1)
    return np.clip(soft, 0, 1, out=soft)


def mix_sources(source: HostArray, history: HostArray, weight: HostArray) -> HostArray:
    """``source`` moved towards the history's, (h, w, 3), in that weight, (h, w)."""
    if has_kernels():
        return move_towards(source, history, weight)
    return np.asarray(source + repeat_plane(weight) * (history - source), np.float32)
