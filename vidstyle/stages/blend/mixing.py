"""Mix the new stylized frame with the history and the next frame: coarse and fine by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement, photometric_distance
from vidstyle.imaging.bands import bands, repeat_plane
from vidstyle.imaging.contrast import detail_edges, find_overshoot, missing_strokes
from vidstyle.imaging.derived import double, halve, halve_flow, halve_positions, luma_plane
from vidstyle.imaging.warp import inside, sample, targets
from vidstyle.kernels.blend import mix_change
from vidstyle.kernels.library import can_run
from vidstyle.stages.blend.history import History
from vidstyle.stages.blend.warped_options import BlendWeights

# How much more an area at rest may drift, as a factor beside 1: there a change of the stylized
# frame can only be flicker, and the history is forgotten soon.
_DRIFT_AT_REST = 2.0
# Of the local mean of the confidence, so that nothing is divided by 0.
_LEAST = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class BlendFrame:
    """A stylized frame, and the halves of it and of its source."""

    image: HostArray
    """(H, W, 3)."""
    half: HostArray
    """(h, w, 3)."""
    source: HostArray
    """(h, w, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class NextChange:
    """What the next stylized frame changes in this one."""

    coarse: HostArray | None = None
    """(h, w, 3) at half size."""
    fine: HostArray | None = None
    """(H, W, 3) without the coarse; only where the result may be soft."""


def look_ahead(
    now: BlendFrame, following: BlendFrame, flow: HostArray, room: HostArray, weights: BlendWeights
) -> NextChange:
    """Find what the next frame changes in this one, where the history leaves room for it.

    The result is not carried on, so the agreement of the sources is enough.

    Args:
        now: This frame.
        following: The next frame.
        flow: (H, W, 2) pixels, from this frame to the next.
        room: (h, w), 1 less the weight of the history.
        weights: Of this frame.
    """
    half = halve_positions(*halve_flow(flow), flow.shape)
    # Luma is enough for what is not carried on.
    there = sample(luma_plane(following.source), *half)
    weight = agreement(photometric_distance(luma_plane(now.source), there), weights.tolerance)
    weight *= room * np.float32(weights.ahead)
    weight[inside(*half, *weight.shape) == 0] = 0
    coarse = sample(following.half, *half)
    coarse -= now.half
    coarse *= repeat_plane(weight)
    if not weights.softness:
        return NextChange(coarse)
    size = now.image.shape[:2]
    fine = sample(following.image, *targets(flow)) - now.image
    fine -= double(halve(fine), *size)
    fine *= repeat_plane(double(weight * np.float32(weights.softness), *size))
    return NextChange(coarse, fine)


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A mixed frame, and the edges in it."""

    image: HostArray
    """(H, W, 3) in [0, 1]."""
    edges: HostArray
    """Its ``detail_edges``, (h, w)."""


def mix(now: BlendFrame, history: History, following: NextChange, weights: BlendWeights) -> Mixed:
    """Move the stylized frame towards the history, less so in fine detail that moves.

    All means are weighted by confidence: what is hidden must not leak into what is visible.

    Args:
        now: This frame.
        history: What the previous output changes.
        following: What the next frame changes; it is added.
        weights: Of this frame.

    Returns:
        The mixed frame.
    """
    fine = weights.fine * weights.history * (1 - history.still)
    fine += weights.history_at_rest * history.still
    coarse = _find_coarse(now.half, fine, history, following.coarse, weights)
    warped = history.warped
    if can_run(*warped.confidence.shape):
        whole = mix_change(now.image, warped, fine, coarse, following.coarse, following.fine)
        return Mixed(*whole)
    change = warped.change
    for band in bands(*warped.confidence.shape):
        rows = band.of(change)
        cv2.multiply(rows, repeat_plane(band.double(fine)), dst=rows)
        more = band.double(coarse)
        cv2.multiply(more, repeat_plane(band.of(warped.confidence)), dst=more)
        cv2.add(rows, more, dst=rows)
        if following.coarse is not None:
            cv2.add(rows, band.double(following.coarse), dst=rows)
        cv2.add(rows, band.of(now.image), dst=rows)
        if following.fine is not None:
            rows += band.of(following.fine)
        np.clip(rows, 0, 1, out=rows)
    return Mixed(change, detail_edges(change))


def _find_coarse(
    half: HostArray,
    fine: HostArray,
    history: History,
    ahead: HostArray | None,
    weights: BlendWeights,
) -> HostArray:
    """What coarse structure gets beyond the fine detail's, at a confidence of 1, at half size.

    ``half`` is the stylized frame, ``fine`` the weight of the history in fine detail.
    """
    change, confidence = history.warped.half_change, history.warped.half_confidence
    still = history.still
    more = (1 - weights.fine) * weights.history * (1 - still)
    safe = np.maximum(confidence, np.float32(_LEAST))
    coarse = change * repeat_plane(np.divide(more, safe))
    overshoot = find_overshoot(weights.drift * (1 + _DRIFT_AT_REST * still), change, safe)
    if overshoot is not None:
        coarse -= overshoot * repeat_plane(fine + more)
    if weights.stroke_gain > 1:
        mixed = half + repeat_plane(fine) * change + repeat_plane(confidence) * coarse
        if ahead is not None:
            mixed += ahead
        strokes = missing_strokes(mixed, half, limit=weights.stroke_gain)
        coarse += repeat_plane(still) * strokes
    return coarse
