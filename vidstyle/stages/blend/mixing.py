"""Mix the new stylized frame with the history and the next frame: coarse and fine by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement_of_difference, exponent_of
from vidstyle.imaging.bands import bands, repeat_plane
from vidstyle.imaging.contrast import find_overshoot, missing_strokes, sharpen, sharpening_to
from vidstyle.imaging.derived import double, halve, halve_flow, halve_positions
from vidstyle.imaging.warp import inside, sample, targets
from vidstyle.kernels.half import change_of_next, weigh_coarse
from vidstyle.kernels.library import can_run, has_kernels
from vidstyle.kernels.mixing import mix_change
from vidstyle.stages.blend.halves import NOISE_KERNEL, HalvedImage, HalvedSource
from vidstyle.stages.blend.history import History
from vidstyle.stages.blend.warped_options import BlendWeights

# How much more an area at rest may drift, as a factor beside 1: there a change of the stylized
# frame can only be flicker, and the history is forgotten soon.
_DRIFT_AT_REST = 2.0
# Of the local mean of the confidence, so that nothing is divided by 0.
_LEAST = 1e-3
# Part of the restored detail that an area at rest goes without: much of it is noise.
_NOISE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class BlendFrame:
    """A stylized frame, and the halves of it and of its source."""

    image: HostArray
    """(H, W, 3)."""
    halved: HalvedImage
    source: HalvedSource


@dataclass(frozen=True, slots=True, eq=False)
class NextChange:
    """What the next stylized frame changes in this one."""

    coarse: HostArray | None = None
    """(h, w, 3) at half size."""
    fine: HostArray | None = None
    """(H, W, 3) without the coarse; only where the result may be soft."""


def look_ahead(
    now: BlendFrame, following: BlendFrame, flow: HostArray, used: HostArray, weights: BlendWeights
) -> NextChange:
    """Find what the next frame changes in this one, where the history leaves room for it.

    The result is not carried on, so the agreement of the sources is enough, and luma of it.

    Args:
        now: This frame.
        following: The next frame.
        flow: (H, W, 2) pixels, from this frame to the next.
        used: (h, w), the weight of the history.
        weights: Of this frame.
    """
    weight, coarse = _find_next(now, following, flow, used, weights)
    if not weights.softness:
        return NextChange(coarse)
    size = now.image.shape[:2]
    fine = sample(following.image, *targets(flow)) - now.image
    fine -= double(halve(fine), *size)
    fine *= repeat_plane(double(weight * np.float32(weights.softness), *size))
    return NextChange(coarse, fine)


def _find_next(
    now: BlendFrame, following: BlendFrame, flow: HostArray, used: HostArray, weights: BlendWeights
) -> tuple[HostArray, HostArray]:
    """The weight of the next frame (h, w), and its coarse change in that weight (h, w, 3)."""
    lumas = now.source.half_luma, following.source.half_luma
    images = now.halved.half, following.halved.half
    if can_run(*flow.shape[:2]):
        exponent = exponent_of(weights.tolerance)
        return change_of_next(
            flow, lumas, images, used, noise=NOISE_KERNEL, most=weights.ahead, exponent=exponent
        )
    half = halve_positions(*halve_flow(flow), flow.shape)
    difference = lumas[0] - sample(lumas[1], *half)
    weight = agreement_of_difference(difference, weights.tolerance)
    weight *= (1 - used) * np.float32(weights.ahead)
    weight[inside(*half, *weight.shape) == 0] = 0
    coarse = sample(images[1], *half)
    coarse -= images[0]
    coarse *= repeat_plane(weight)
    return weight, coarse


def mix(
    now: BlendFrame, history: History, following: NextChange, weights: BlendWeights
) -> HostArray:
    """Move the stylized frame towards the history, less so in fine detail that moves.

    All means are weighted by confidence: what is hidden must not leak into what is visible. Fine
    detail that mixing took is restored.

    Args:
        now: This frame.
        history: What the previous output changes.
        following: What the next frame changes; it is added.
        weights: Of this frame.

    Returns:
        The mixed frame, (H, W, 3) in [0, 1].
    """
    fine = _weigh_fine(history.still, weights)
    coarse = _find_coarse(now.halved.half, history, following.coarse, weights)
    sharpening = None
    if weights.detail_gain > 1:
        part = 1 - _NOISE * history.still
        sharpening = sharpening_to(now.halved.edges, limit=weights.detail_gain, part=part)
    warped, ahead = history.warped, (following.coarse, following.fine)
    if can_run(*warped.confidence.shape):
        return mix_change(now.image, warped, fine, coarse, *ahead, sharpening)
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
    return sharpen(change, sharpening, warped.confidence) if sharpening else change


def _find_coarse(
    half: HostArray, history: History, ahead: HostArray | None, weights: BlendWeights
) -> HostArray:
    """What coarse structure gets beyond the fine detail's, at a confidence of 1, at half size.

    ``half`` is the stylized frame.
    """
    change, confidence = history.warped.half_change, history.warped.half_confidence
    still, safe = history.still, np.maximum(confidence, np.float32(_LEAST))
    limit = weights.drift * (1 + _DRIFT_AT_REST * still)
    overshoot = find_overshoot(limit, change, safe)
    coarse, mixed = _weigh_coarse(half, history, overshoot, ahead, weights)
    if weights.stroke_gain > 1:
        strokes = missing_strokes(mixed, half, limit=weights.stroke_gain)
        coarse += repeat_plane(still) * strokes
    return coarse


def _weigh_coarse(
    half: HostArray,
    history: History,
    overshoot: HostArray | None,
    ahead: HostArray | None,
    weights: BlendWeights,
) -> tuple[HostArray, HostArray]:
    """The same without strokes, and the mixed frame at half size."""
    change, confidence = history.warped.half_change, history.warped.half_confidence
    still = history.still
    if has_kernels():
        return weigh_coarse(
            half,
            change,
            confidence,
            still,
            overshoot,
            ahead,
            moving=weights.history,
            resting=weights.history_at_rest,
            part=weights.fine,
            least=_LEAST,
        )
    fine = _weigh_fine(still, weights)
    more = (1 - weights.fine) * weights.history * (1 - still)
    coarse = change * repeat_plane(np.divide(more, np.maximum(confidence, np.float32(_LEAST))))
    if overshoot is not None:
        coarse -= overshoot * repeat_plane(fine + more)
    mixed = half + repeat_plane(fine) * change + repeat_plane(confidence) * coarse
    if ahead is not None:
        mixed += ahead
    return coarse, mixed


def _weigh_fine(still: HostArray, weights: BlendWeights) -> HostArray:
    """The weight of the history in fine detail, (h, w)."""
    moving = weights.fine * weights.history
    return moving + np.float32(weights.history_at_rest - moving) * still
