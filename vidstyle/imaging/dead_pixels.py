"""Find damage in a stylized image: dead pixels, runs, blobs and NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.specks import specks
from vidstyle.imaging.visibility import BoolMask

JUMP, STABLE = 0.25, 0.05
"""A dead pixel is farther than JUMP from the median around it; the source's is within STABLE."""
BLOB_AREA, BLOB_DEPTH = 20, 0.02
"""Pixels of the smallest blob, and how near black or white all channels of it are."""
# Side of the median. Twelve of its 25 pixels may be dead.
_WINDOW = 5
# Pixels. Saturated outlines of networks stayed within one row or column for up to 9 of them; a
# row or tile after an overflow is longer.
_RUN = 12
# Fraction of a blob that the source has to have too. A style moves the edges of areas a little.
_EXPLAINED = 0.5

Strokes = Literal["spared", "counted"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dead:
    """What ``find_dead`` found, as masks (H, W); a pixel can be in more than one."""

    pixels: BoolMask
    runs: BoolMask
    blobs: BoolMask
    not_finite: BoolMask
    blob_count: int

    @property
    def pixel_count(self) -> int:
        """Dead pixels, those in runs included."""
        return int(np.count_nonzero(self.pixels | self.runs))

    @property
    def not_finite_count(self) -> int:
        """Pixels with a channel that is NaN or infinite."""
        return int(np.count_nonzero(self.not_finite))

    @property
    def found(self) -> bool:
        """Whether anything is dead."""
        return bool(self.pixel_count or self.blob_count or self.not_finite_count)

    def __repr__(self) -> str:
        return (
            f"Dead({self.pixel_count} pixels, {self.blob_count} blobs,"
            f" {self.not_finite_count} not finite)"
        )


def find_dead(
    image: HostArray,
    source: HostArray,
    *,
    strokes: Strokes = "spared",
    jump: float = JUMP,
    stable: float = STABLE,
    blob_area: int = BLOB_AREA,
    allowed_fraction: float = 0.0,
) -> Dead:
    """Find what of a stylized image is dead, beside the source that it was made from.

    Dead are

    - pixels: as ``dead_pixels`` finds them. It also finds points of strokes beside the edges of
      the source; with ``strokes="spared"`` only those remain that ``specks`` finds too;
    - runs: 12 or more dead pixels in a row or column, each with a channel within 0.02 of 0 or 1.
      No stroke is that straight; an overflow or a bad tile leaves whole rows;
    - blobs: as ``blobs`` finds them;
    - what is NaN or infinite. The source replaces it while the rest is searched.

    Args:
        image: (H, W, 3) RGB in [0, 1]; it may contain NaN or leave the range.
        source: Of the same shape, in [0, 1].
        strokes: Whether points of strokes are spared or counted.
        jump: A dead pixel differs from the median around it by more.
        stable: Where the source differs from its median by more, no pixel is dead.
        blob_area: Pixels of the smallest blob.
        allowed_fraction: ``blob_fraction`` of the style image.

    Returns:
        Masks (H, W), and the number of blobs.

    Raises:
        ValueError: The shapes differ.
    """
    if image.shape != source.shape or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            "an image and its source are (H, W, 3) alike,"
            f" got {tuple(image.shape)} and {tuple(source.shape)}"
        )
    not_finite = _not_finite(image)
    if not_finite.any():
        image = np.where(not_finite[..., np.newaxis], source, image)
    every = dead_pixels(image, source, jump=jump, stable=stable)
    counted = every if strokes == "counted" else specks(image, every)
    areas, count = blobs(image, source, area=blob_area, allowed_fraction=allowed_fraction)
    return Dead(counted, _runs(image, every), areas, not_finite, count)


def dead_pixels(
    image: HostArray, source: HostArray, *, jump: float = JUMP, stable: float = STABLE
) -> BoolMask:
    """Find pixels that differ from the 5x5 median by more than ``jump`` where the source is smooth.

    One channel of ``image`` is enough. The source is smooth where none of its channels differs
    from its own median by more than ``stable``.

    Args:
        image: (H, W, 3), finite.
        source: Of the same shape, finite.
        jump: In the unit of the image.
        stable: In the unit of the image.

    Returns:
        (H, W), True where dead.
    """
    return _differs(image, jump) & ~_differs(source, stable)


def blobs(
    image: HostArray, source: HostArray, *, area: int = BLOB_AREA, allowed_fraction: float = 0.0
) -> tuple[BoolMask, int]:
    """Find the black and white blobs of ``image`` that its source does not explain.

    A blob is a connected area (8 neighbors) of at least ``area`` pixels whose channels are all
    within 0.02 of black, or all of white. The source explains it where at least half of it is as
    black or as white in the source, within 0.05: a codec's black is not quite 0. Where all that
    are left take no more than ``allowed_fraction`` of the image together, none of them counts:
    the style image has as much.

    Args:
        image: (H, W, 3) in [0, 1], finite.
        source: Of the same shape.
        area: Pixels of the smallest blob.
        allowed_fraction: Of the image, in [0, 1].

    Returns:
        (H, W), True in blobs; and their number.
    """
    found, count = np.zeros(image.shape[:2], np.bool_), 0
    for above in (False, True):
        near = _extreme(image, BLOB_DEPTH, above=above)
        if np.count_nonzero(near) < area:
            continue
        labels, areas = _areas(near)
        there = labels[_extreme(source, STABLE, above=above)]
        explained = np.bincount(there, minlength=len(areas)) >= _EXPLAINED * areas
        counts = (areas >= area) & ~explained
        if counts.any():
            found |= counts[labels]
            count += int(np.count_nonzero(counts))
    if np.count_nonzero(found) <= allowed_fraction * found.size:
        return np.zeros_like(found), 0
    return found, count


def blob_fraction(style_image: HostArray, *, area: int = BLOB_AREA) -> float:
    """Measure how much of a style image is black or white areas.

    Args:
        style_image: (H, W, 3) in [0, 1].
        area: Pixels of the smallest area that counts.

    Returns:
        Fraction of the pixels, 0 to 1.
    """
    areas = np.concatenate(
        [_areas(_extreme(style_image, BLOB_DEPTH, above=above))[1] for above in (False, True)]
    )
    return float(areas[areas >= area].sum() / (style_image.shape[0] * style_image.shape[1]))


def _areas(mask: BoolMask) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Labels (H, W) of the connected areas, and how many pixels each label has; 0 for the rest."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    areas = np.array(stats[:, cv2.CC_STAT_AREA], np.int32)
    areas[0] = 0
    return np.asarray(labels, np.int32), areas


def _extreme(image: HostArray, depth: float, *, above: bool) -> BoolMask:
    """True where all channels are within ``depth`` of white, or else of black, or beyond it."""
    bounds = (1 - depth, np.inf) if above else (-np.inf, depth)
    return _within(image, *bounds)


def _differs(image: HostArray, threshold: float) -> BoolMask:
    """True where some channel is farther than ``threshold`` from its median, edges repeated."""
    median = cv2.medianBlur(np.ascontiguousarray(image), _WINDOW)
    return ~_within(cv2.absdiff(image, median), -np.inf, threshold)


def _within(image: npt.ArrayLike, low: float, high: float) -> BoolMask:
    """True where all three channels are between two bounds."""
    inside = cv2.inRange(np.asarray(image), (low,) * 3, (high,) * 3)
    return np.asarray(inside, np.uint8).view(np.bool_)


def _runs(image: HostArray, dead: BoolMask) -> BoolMask:
    """The rows and columns of saturated dead pixels that are long enough."""
    runs = np.zeros_like(dead)
    if np.count_nonzero(dead) < _RUN:
        return runs
    saturated = dead & ~_within(image, BLOB_DEPTH, 1 - BLOB_DEPTH)
    for shape in ((1, _RUN), (_RUN, 1)):
        kernel = np.ones(shape, np.uint8)
        opened = cv2.morphologyEx(saturated.view(np.uint8), cv2.MORPH_OPEN, kernel)
        runs |= np.asarray(opened, np.bool_)
    return runs


def _not_finite(image: HostArray) -> BoolMask:
    # A sum is finite only if all of its terms are, and costs a fraction of looking at each.
    with np.errstate(invalid="ignore", over="ignore"):
        total = float(image.sum())
    if np.isfinite(total):
        return np.zeros(image.shape[:2], np.bool_)
    return np.logical_not(np.isfinite(image).all(2))
