"""What was painted before, on this frame's grid, and how far each pixel of it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement, photometric_distance, pixel_distance
from vidstyle.imaging.bands import Band, bands, channels, three_times
from vidstyle.imaging.derived import doubled, halved, halved_places, reach_of, smooth
from vidstyle.imaging.warp import Kernel, inside, sample
from vidstyle.stages.blend.anchors import Anchors, Memory
from vidstyle.stages.blend.dials import Dials
from vidstyle.stages.blend.warped_options import WarpedOptions

_STILL = 0.25
# Pixels a frame below which a place stands still, so that averaging cannot blur it.
_CREEPING = 1.0
# Pixels a frame up to which flow may be noise: it counts only where it explains the source
_EXPLAINED = 0.9
# better than no motion does, by this factor.
_STILL_SIGMA = 2.0
# Pixels of the halved image that a place needs around it to stand still.
_THIN_SIGMA = 0.6
_THIN_REACH = reach_of(_THIN_SIGMA)
# Pixels, as for ``pixel_distance``.


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What was painted before, on this frame's grid."""

    image: HostArray
    """(H, W, 3)."""
    source: HostArray
    """What it was painted on, at half size."""
    confidence: HostArray
    """How far each pixel can be trusted, (H, W) in [0, 1]."""
    weight: HostArray
    """The same at half size."""
    still: HostArray
    """1 where nothing moves, at half size."""


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A frame as flow and sources tell where it comes from."""

    flow: HostArray
    """(H, W, 2)."""
    visible: HostArray
    """(H, W)."""
    source: HostArray
    """(H, W, 3)."""
    half: HostArray
    """The same at half size."""
    before: HostArray
    """Source of the frame before, (H, W, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Coarse:
    """What is known at half size before the image is sampled; (h, w) each."""

    moves: HostArray | None
    """Factor of the flow: 0 where it explains nothing; None is 1 everywhere."""
    near: HostArray
    """Agreement of the sources."""
    wide: HostArray
    """Their distance, pixel for pixel."""


def carried(memory: Memory, moved: Moved, options: WarpedOptions, dials: Dials) -> History:
    """The newest output in ``memory`` on the grid of the frame that has ``moved``."""
    u, v = channels(moved.flow)
    half = halved(u), halved(v)
    length = np.asarray(cv2.magnitude(*half), np.float32)
    now, unmoved = moved.half, memory["source_1"]
    source = sample(unmoved, *halved_places(*half, u.shape))
    still = _unexplained(now, source, unmoved, length)
    moves = None
    if still.any():
        moves = 1 - still
        source += three_times(still) * (unmoved - source)
    near = agreement(photometric_distance(now, source), dials.tolerance)
    coarse = _Coarse(moves, near, pixel_distance(now, source))
    image, confidence = _sampled(memory["blended_1"], (u, v), moved, coarse, options.kernel, dials)
    if options.anchors:
        tolerance = dials.tolerance_hidden or dials.tolerance
        anchors = Anchors(memory, options.anchors, tolerance=tolerance)
        anchors.fill(image, source, confidence, now)
    return History(
        image, source, confidence, halved(confidence), np.maximum(still, _at_rest(length))
    )


def _sampled(
    before: HostArray,
    flow: tuple[HostArray, HostArray],
    moved: Moved,
    coarse: _Coarse,
    kernel: Kernel,
    dials: Dials,
) -> tuple[HostArray, HostArray]:
    """``before`` (H, W, 3) moved along the flow, and how far it can be trusted (H, W)."""
    height, width = moved.visible.shape
    image = np.empty((height, width, 3), np.float32)
    confidence = np.empty((height, width), np.float32)
    luma = _luma(moved.before)
    for band in bands(height, width):
        outer = band.wider(_THIN_REACH)
        columns, rows = _places(flow, outer, coarse.moves)
        there = band.within(outer, columns), band.within(outer, rows)
        moving = sample(before, *there, kernel=kernel, out=band.of(image))
        if dials.softness:
            soft = sample(before, *there)
            cv2.addWeighted(moving, 1 - dials.softness, soft, dials.softness, 0, dst=moving)
        visible = band.of(moved.visible)
        trusted = np.multiply(band.doubled(coarse.near), visible, out=band.of(confidence))
        if dials.tolerance_hidden and visible.min() < 1:
            thin = band.within(outer, _thin_distance(outer.of(moved.source), luma, columns, rows))
            distance = np.maximum(thin, band.doubled(coarse.wide))
            hidden = agreement(distance, dials.tolerance_hidden)
            hidden *= 1 - visible
            cv2.add(trusted, hidden, dst=trusted, mask=inside(*there, height, width))
    return image, confidence


def _places(
    flow: tuple[HostArray, HostArray], band: Band, moves: HostArray | None
) -> tuple[HostArray, HostArray]:
    """Columns and rows that the flow leads to from a band; ``moves`` is a factor of the flow."""
    factor = 1 if moves is None else band.doubled(moves)
    u, v = (np.multiply(band.of(plane), factor, dtype=np.float32) for plane in flow)
    u += np.arange(band.width, dtype=np.float32)
    v += np.arange(band.first, band.last, dtype=np.float32)[:, np.newaxis]
    return u, v


def _thin_distance(
    source: HostArray, luma: HostArray, columns: HostArray, rows: HostArray
) -> HostArray:
    """Squared difference in luma, very little smoothed, of rows of ``source`` to what was there.

    Flow is often wrong where it says hidden: it has small steps at the edges of its patches, which
    count as motion boundaries, and both directions disagree in motion that is hard to follow.
    There the images decide; pixel for pixel, since what a slow object uncovers is thin.
    """
    there = sample(luma, columns, rows)
    there -= _luma(source)
    return smooth(np.square(there, out=there), _THIN_SIGMA)


def _unexplained(
    source: HostArray, carried: HostArray, unmoved: HostArray, length: HostArray
) -> HostArray:
    """1 where the flow is short and no motion at all explains the source as well, at half size.

    Flow on flat, noisy ground is made of noise, and to follow it would move a still painting.
    ``carried`` is the history moved along the flow, ``unmoved`` as it was; (h, w, 3) all three.
    ``length`` (h, w) is that of the flow, in pixels of the frame.
    """
    short = halved(length) < _CREEPING
    if not short.any():
        return np.zeros(source.shape[:2], np.float32)
    luma, along, there = (_luma(image) for image in (source, carried, unmoved))
    moved, stood = (
        smooth(halved(np.square(cv2.subtract(luma, plane, dst=plane))), _STILL_SIGMA)
        for plane in (along, there)
    )
    still = short & (moved >= _EXPLAINED * stood)
    return doubled(_middle(still.astype(np.float32)), *source.shape[:2])


def _at_rest(length: HostArray) -> HostArray:
    """1 inside of areas where nothing moves, 0 outside."""
    return _middle((length < _STILL).astype(np.float32))


def _middle(mask: HostArray) -> HostArray:
    """A mask of 0 and 1 without its edges, softened."""
    soft = smooth(mask, _STILL_SIGMA)
    soft *= np.float32(2)
    soft -= np.float32(1)
    return np.clip(soft, 0, 1, out=soft)


def _luma(image: HostArray) -> HostArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)
