"""Hard cuts, found where both the colors and the structure of the image change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from vidstyle.core import (
    BaseStage,
    HostArray,
    Layers,
    Needs,
    Planes,
    Reach,
    StageOptions,
    State,
    Window,
)
from vidstyle.imaging.derived import Latest
from vidstyle.media.to_rgb import decoding_matrix

Thumbnail: TypeAlias = npt.NDArray[np.uint8]
"""(36, 64, 3) RGB, 0 to 255."""

_WIDTH, _HEIGHT = 64, 36
_BLOCK_WIDTH, _BLOCK_HEIGHT = 16, 12
_BLOCKS = (_WIDTH // _BLOCK_WIDTH) * (_HEIGHT // _BLOCK_HEIGHT)
# Pixels of the thumbnail: content that a pan moved by up to an eighth of the width is found again.
_SEARCH = 8
# Of hue, saturation and value.
_BINS = (8, 4, 8)
# Standard deviation (of 255) below which a block has no structure to compare.
_FLAT = 2.0
# Change of color or of contrast (of 255) that makes a block without structure new. The steps of
# a fade from or to black are smaller.
_STEP = 24.0
# Mean (of 255) above which a block is blown out, as by a flash, and does not count.
_BLOWN = 235.0


class HistogramOptions(StageOptions):
    threshold: float = Field(
        0.24,
        ge=0.05,
        le=1,
        description="Change between two frames, from 0 to 1, from which on there is a cut."
        " Most cuts are above 0.5.",
    )


class Histogram(BaseStage[HistogramOptions]):
    """Finds hard cuts, so that nothing is carried from one shot into the next.

    Writes ``cut``: 1 on the first frame of a new shot, else 0; 0 on the very first frame.

    The change between two frames is ``image_change``: a flash changes the colors but not the
    structure, a pan the structure but not the colors, and a fade neither from frame to frame.
    """

    Options = HistogramOptions
    needs = Needs(reads={"source": Reach(behind=1)}, writes=("cut",))

    def __init__(self, options: HistogramOptions) -> None:
        super().__init__(options)
        self._glance = Latest(_glance)

    def step(self, window: Window[HistogramOptions], state: State) -> tuple[Layers, State]:
        now, behind = self._glance(window.now.decoded("source")), window.behind
        cut = False
        if behind:
            cut = _is_change(
                now, self._glance(behind[0].decoded("source")), window.options.threshold
            )
        return {"cut": np.array(cut, np.float32)}, None


STAGE = Histogram


def is_cut(now: HostArray, previous: HostArray, threshold: float) -> bool:
    """Decide whether ``image_change`` is at least ``threshold``."""
    return _is_change(_glance(now), _glance(previous), threshold)


def image_change(now: HostArray | Planes, previous: HostArray | Planes) -> float:
    """Measure how much of the image is new, 0 to 1.

    The geometric mean of ``color_change`` and ``structure_change``. Images are (H, W, 3) RGB
    in [0, 1] of any size, or planes.
    """
    small_now, small_previous = _glance(now), _glance(previous)
    structure = structure_change(small_now.thumbnail, small_previous.thumbnail)
    return float(np.sqrt(color_change(small_now, small_previous) * structure))


@dataclass(frozen=True, eq=False)
class Glance:
    """What is compared of an image."""

    thumbnail: Thumbnail

    @cached_property
    def colors(self) -> HostArray:
        """Fractions of the colors by hue, saturation and value; they add up to 1."""
        hsv = cv2.cvtColor(self.thumbnail, cv2.COLOR_RGB2HSV)
        counts = cv2.calcHist([hsv], [0, 1, 2], None, list(_BINS), [0, 180, 0, 256, 0, 256])
        return np.asarray(counts / counts.sum(), np.float32)


def color_change(now: Glance, previous: Glance) -> float:
    """Give 1 minus the intersection of the histograms of hue, saturation and value."""
    shared = np.minimum(now.colors, previous.colors).sum()
    return max(0.0, 1.0 - float(shared))


def structure_change(now: Thumbnail, previous: Thumbnail) -> float:
    """Give the mean over blocks of 1 less their best correlation with the previous image nearby."""
    return float(np.mean(list(_block_changes(now, previous))))


def _block_changes(now: Thumbnail, previous: Thumbnail) -> Iterator[float]:
    reach = ((_SEARCH, _SEARCH), (_SEARCH, _SEARCH), (0, 0))
    around = np.pad(previous, reach, mode="edge")
    for top in range(0, _HEIGHT, _BLOCK_HEIGHT):
        for left in range(0, _WIDTH, _BLOCK_WIDTH):
            bottom, right = top + _BLOCK_HEIGHT, left + _BLOCK_WIDTH
            yield _block_change(
                now[top:bottom, left:right],
                around[top : bottom + 2 * _SEARCH, left : right + 2 * _SEARCH],
            )


def _block_change(block: Thumbnail, around: Thumbnail) -> float:
    """0 to 1: how little ``block`` looks like any part of ``around``."""
    before = around[_SEARCH:-_SEARCH, _SEARCH:-_SEARCH]
    (means, spread), (means_before, spread_before) = map(cv2.meanStdDev, (block, before))
    if max(means.mean(), means_before.mean()) > _BLOWN:
        return 0.0
    contrast, contrast_before = spread.max(), spread_before.max()
    if min(contrast, contrast_before) < _FLAT:
        step = np.abs(means - means_before).max()
        return float(step > _STEP or max(contrast, contrast_before) > _STEP)
    match = cv2.matchTemplate(around, block, cv2.TM_CCOEFF_NORMED)
    return 1.0 - min(max(float(match.max()), 0.0), 1.0)


def _is_change(now: Glance, previous: Glance, threshold: float) -> bool:
    color, most = color_change(now, previous), 1.0
    blocks = _block_changes(now.thumbnail, previous.thumbnail)
    # Most frames are excluded by their colors, or by few blocks: each changes by 1 at most.
    while math.sqrt(color * most) >= threshold:
        change = next(blocks, None)
        if change is None:
            return True
        most = max(0.0, most - (1.0 - change) / _BLOCKS)
    return False


def _glance(image: HostArray | Planes) -> Glance:
    if isinstance(image, Planes):
        codes = cv2.merge([_reduced(_halved(plane)) for plane in image.samples])
        form = image.format
        small = cv2.transform(codes.astype(np.float32), decoding_matrix(form.matrix, form.range))
    else:
        small = _reduced(image)
    return Glance(np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8))


def _halved(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Twice the thumbnail's size or more: for code values OpenCV is quick at halves alone."""
    while samples.shape[0] >= 4 * _HEIGHT and samples.shape[1] >= 4 * _WIDTH:
        size = samples.shape[1] // 2, samples.shape[0] // 2
        samples = np.asarray(cv2.resize(samples, size, interpolation=cv2.INTER_LINEAR))
    return samples


def _reduced(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA))
