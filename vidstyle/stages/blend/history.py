"""The previous output on this frame's grid, and the confidence in each of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement, exponent_of
from vidstyle.imaging.bands import Band, bands, repeat_plane, split_planes
from vidstyle.imaging.derived import (
    double,
    half_gaussian,
    halve,
    reach_of,
    smooth,
)
from vidstyle.imaging.warp import Kernel, inside, sample
from vidstyle.kernels.blend import WarpedChange, warp_change
from vidstyle.kernels.half import FollowedSource
from vidstyle.kernels.library import can_run
from vidstyle.stages.blend.anchors import Memory, fill_from_anchors
from vidstyle.stages.blend.halves import STILL_SIGMA, erode_softly, follow, match_sources
from vidstyle.stages.blend.warped_options import BlendWeights, WarpedOptions

# Pixels a frame up to which flow may be noise: there it counts only where it explains the source
# better than no motion does, by the factor _EXPLAINED.
_CREEPING = 1.0
_EXPLAINED = 0.9
# Pixels, as for ``pixel_distance``.
_THIN_SIGMA = 0.6
_THIN_REACH = reach_of(_THIN_SIGMA)
_THIN_KERNEL = half_gaussian(_THIN_SIGMA)
# Of the hidden part of a pixel: what is not more is none.
_NONE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What the previous output changes in this frame."""

    warped: WarpedChange
    """Its difference to the new stylized frame, and the confidence in it."""
    source: HostArray
    """The source that it was stylized from, mixed in the same weights; (h, w, 3)."""
    still: HostArray
    """1 where nothing moves, else 0; (h, w)."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameMotion:
    """Where the pixels of a frame come from: its flow, and the sources that confirm it."""

    flow: HostArray
    """(H, W, 2) pixels, to the previous frame."""
    visible: HostArray
    """(H, W) in [0, 1]."""
    half_source: HostArray
    """(h, w, 3)."""
    luma: HostArray
    """Of the source, (H, W)."""
    previous_luma: HostArray
    """Of the source before, (H, W)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Coarse:
    """What is known at half size before the image is sampled; (h, w) each."""

    moves: HostArray | None
    """Factor of the flow: 0 where it explains nothing; None is 1 everywhere."""
    near: HostArray
    """Agreement of the sources."""
    pixels: HostArray
    """Their distance, pixel for pixel."""


def warp_history(
    memory: Memory,
    image: HostArray,
    motion: FrameMotion,
    options: WarpedOptions,
    weights: BlendWeights,
) -> History:
    """Bring the newest output in ``memory`` onto the grid of the stylized frame that moved so."""
    now, unmoved = motion.half_source, memory["source_1"]
    found = follow(motion.flow, now, unmoved)
    source, length = found.source, found.length
    if weights.pixel != 1:
        length /= np.float32(weights.pixel)
    still = _find_unexplained(found, length)
    stays = still if still.any() else None
    compared = match_sources(now, unmoved, found, stays, tolerance=weights.tolerance)
    moves, still = None if stays is None else 1 - stays, compared.still
    coarse = _Coarse(moves, compared.near, compared.pixels)
    previous = memory["blended_1"]
    if can_run(*motion.visible.shape) and options.kernel != "lanczos" and not options.anchors:
        warped = _warp_in_one_pass(previous, image, motion, coarse, options.kernel, weights)
        return History(warped, source, still)
    there, confidence = _sample_history(previous, motion, coarse, options.kernel, weights)
    if options.anchors:
        tolerance = weights.tolerance_hidden or weights.tolerance
        there, source, confidence = fill_from_anchors(
            memory, options.anchors, (there, source, confidence), now, tolerance=tolerance
        )
    return History(_weigh_change(there, image, confidence), source, still)


def _warp_in_one_pass(
    previous: HostArray,
    image: HostArray,
    motion: FrameMotion,
    coarse: _Coarse,
    kernel: Kernel,
    weights: BlendWeights,
) -> WarpedChange:
    tolerance = weights.tolerance_hidden
    return warp_change(
        previous,
        image,
        motion.flow,
        coarse.moves,
        coarse.near,
        motion.visible,
        coarse.pixels,
        (motion.luma, motion.previous_luma),
        small=_THIN_KERNEL,
        exponent=exponent_of(tolerance) if tolerance else 0,
        softness=weights.softness if kernel == "cubic" else 1,
    )


def _weigh_change(there: HostArray, image: HostArray, confidence: HostArray) -> WarpedChange:
    """The history's difference to ``image``, weighted by confidence; all of it halved as well."""
    whole, half = np.empty_like(there), []
    for band in bands(*confidence.shape):
        change = band.of(whole)
        cv2.subtract(band.of(there), band.of(image), dst=change)
        cv2.multiply(change, repeat_plane(band.of(confidence)), dst=change)
        half.append(halve(change))
    return WarpedChange(whole, confidence, np.concatenate(half), halve(confidence))


def _sample_history(
    before: HostArray,
    motion: FrameMotion,
    coarse: _Coarse,
    kernel: Kernel,
    weights: BlendWeights,
) -> tuple[HostArray, HostArray]:
    """``before`` (H, W, 3) warped along the flow, and the confidence in it (H, W)."""
    height, width = motion.visible.shape
    image = np.empty((height, width, 3), np.float32)
    confidence = np.empty((height, width), np.float32)
    flow = split_planes(motion.flow)
    for band in bands(height, width):
        outer = band.wider(_THIN_REACH)
        columns, rows = _positions(flow, outer, coarse.moves)
        there = band.within(outer, columns), band.within(outer, rows)
        warped = sample(before, *there, kernel=kernel, out=band.of(image))
        if weights.softness:
            soft = sample(before, *there)
            cv2.addWeighted(warped, 1 - weights.softness, soft, weights.softness, 0, dst=warped)
        visible = band.of(motion.visible)
        sure = np.multiply(band.double(coarse.near), visible, out=band.of(confidence))
        if weights.tolerance_hidden and visible.min() < 1:
            pixels, tolerance = band.double(coarse.pixels), weights.tolerance_hidden
            _add_hidden(sure, band, motion, (columns, rows), pixels, tolerance)
    return image, confidence


def _add_hidden(
    sure: HostArray,
    band: Band,
    motion: FrameMotion,
    there: tuple[HostArray, HostArray],
    pixels: HostArray,
    tolerance: float,
) -> None:
    """Add the confidence in what the flow says is hidden to ``sure``, that of a band.

    ``there`` are the positions of the band with the rows around it that the filter reads, and
    ``pixels`` is its distance at half size. Rows above and below what is hidden are left out.
    """
    outer = band.wider(_THIN_REACH)
    hidden = 1 - band.of(motion.visible)
    _, top, _, down = cv2.boundingRect(cv2.inRange(hidden, _NONE, 1))
    if not down:
        return
    inner = Band(band.first + top, band.first + top + down, band.height, band.width)
    wide = inner.wider(_THIN_REACH)
    before = sample(motion.previous_luma, *(wide.within(outer, plane) for plane in there))
    thin = inner.within(wide, _thin_distance(wide.of(motion.luma), before))
    rows = np.s_[top : top + down]
    agreed = agreement(np.asarray(cv2.max(thin, pixels[rows]), np.float32), tolerance)
    cv2.multiply(agreed, hidden[rows], dst=agreed)
    columns, lines = (inner.within(outer, plane) for plane in there)
    seen = inside(columns, lines, *motion.visible.shape)
    cv2.add(sure[rows], agreed, dst=sure[rows], mask=seen)


def _positions(
    flow: tuple[HostArray, ...], band: Band, moves: HostArray | None
) -> tuple[HostArray, HostArray]:
    """Columns and rows that the flow leads to from a band; ``moves`` is a factor of the flow."""
    factor = 1 if moves is None else band.double(moves)
    u, v = (np.multiply(band.of(plane), factor, dtype=np.float32) for plane in flow)
    u += np.arange(band.width, dtype=np.float32)
    v += np.arange(band.first, band.last, dtype=np.float32)[:, np.newaxis]
    return u, v


def _thin_distance(luma: HostArray, there: HostArray) -> HostArray:
    """Squared difference in luma, very little smoothed, of the source to the previous one.

    Flow is often wrong where it says hidden: it has small steps at the edges of its patches, which
    count as motion boundaries, and both directions disagree in motion that is hard to follow.
    There the images decide; pixel for pixel, since what a slow object uncovers is thin.
    ``there``, the previous source along the flow, is written to.
    """
    cv2.subtract(there, luma, dst=there)
    return smooth(np.asarray(cv2.multiply(there, there, dst=there), np.float32), _THIN_SIGMA)


def _find_unexplained(found: FollowedSource, length: HostArray) -> HostArray:
    """1 where the flow is short and no motion at all explains the source as well, at half size.

    Flow on flat, noisy ground is made of noise, and to follow it would move a still image.
    ``length`` (h, w) is that of the flow, in pixels of the source.
    """
    short = halve(length) < _CREEPING
    if not short.any():
        return np.zeros(length.shape, np.float32)
    moved, stood = (smooth(halve(plane), STILL_SIGMA) for plane in (found.moved, found.stood))
    still = short & (moved >= _EXPLAINED * stood)
    return double(erode_softly(still.astype(np.float32)), *length.shape)
