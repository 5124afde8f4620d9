"""The frames that flicker most, and what a pair of them looks like to the warping error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.file_evaluation import SOURCE
from vidstyle.evaluation.frame_groups import ClipFrames
from vidstyle.evaluation.motion import PairFlow, PairMotion, pair_motion
from vidstyle.evaluation.scores import Series
from vidstyle.imaging.contact_sheet import Image
from vidstyle.imaging.flow_colors import flow_colors
from vidstyle.imaging.warp import warp_image
from vidstyle.report.side_by_side import (
    Interval,
    Size,
    display_size,
    open_side_by_side,
    resize,
    to_bytes,
)

# How much stronger a difference is shown than it is.
GAIN: Final = 5
# Pixels across that a view has at most.
WIDEST: Final = 480
# Pixels of flow that have the full color at least: noise of a still camera stays pale.
_SHORTEST: Final = 1.0


def find_worst_frames(series: Series, *, count: int = 4, apart: int = 5) -> tuple[int, ...]:
    """Indices of the highest values, the worst first, at least ``apart`` frames from each other.

    Values that are None or not finite do not count; of equal ones the first is taken.
    """
    known = [at for at, value in enumerate(series) if value is not None and math.isfinite(value)]
    chosen: list[int] = []
    for index in sorted(known, key=lambda at: -(series[at] or 0.0)):
        if len(chosen) == count:
            break
        if all(abs(index - other) >= apart for other in chosen):
            chosen.append(index)
    return tuple(chosen)


@dataclass(frozen=True, slots=True, eq=False)
class PairViews:
    """Images of one pair of frames, each at most ``WIDEST`` across."""

    index: int
    """Of the later frame, counted from the first one evaluated."""
    longest: float
    """Length in pixels of the flow that has the full color."""
    earlier: Image
    later: Image
    warped: Image
    """The later frame on the grid of the earlier one."""
    flow: Image
    """Of the source, from the earlier frame to the later."""
    mask: Image
    """White where the flow is consistent: nothing else is evaluated."""
    difference: Image
    """Of ``warped`` and ``earlier`` where the mask is white, ``GAIN`` times as strong."""


def view_pairs(
    source: Path,
    clips: Mapping[str, Path],
    wanted: Mapping[str, tuple[int, ...]],
    flow: PairFlow,
    frames: Interval,
) -> dict[str, tuple[PairViews, ...]]:
    """Views of the pairs that end at the ``wanted`` frames of each clip, in that order.

    None of the clips has the reserved name ``SOURCE``. They are read once; a flow that several of
    them need is computed once. Raises InputError where they end before a wanted frame.
    """
    left = {index for indices in wanted.values() for index in indices}
    views: dict[str, dict[int, PairViews]] = {name: {} for name in clips}
    before: ClipFrames = ()
    with open_side_by_side({SOURCE: source, **clips}, frames) as opened:
        size = display_size(opened.clip, WIDEST)
        for now in opened.frames if left else ():
            if now.index in left:
                motion = pair_motion(before[0], now.images[0], flow)
                stylized = zip(clips, before[1:], now.images[1:], strict=True)
                for name, earlier, later in stylized:
                    if now.index in wanted[name]:
                        pair = earlier, later
                        views[name][now.index] = _views(now.index, motion, pair, size)
                left.remove(now.index)
            if not left:
                break
            before = now.images
    if left:
        raise InputError(
            f"the clips end before frame {frames[0] + min(left)}, which was evaluated;"
            " give the clips that were evaluated"
        )
    return {name: tuple(views[name][index] for index in wanted[name]) for name in clips}


def _views(
    index: int, motion: PairMotion, pair: tuple[HostArray, HostArray], size: Size
) -> PairViews:
    earlier, later = pair
    flow, mask = motion.forward, motion.mask.astype(np.float32)[..., np.newaxis]
    warped = warp_image(later, flow)
    longest = max(_SHORTEST, float(np.hypot(flow[..., 0], flow[..., 1]).max()))
    images = {
        "earlier": earlier,
        "later": later,
        "warped": warped,
        "flow": flow_colors(flow, longest=longest).astype(np.float32) / 255,
        "mask": np.repeat(mask, 3, axis=2),
        "difference": GAIN * np.abs(warped - earlier) * mask,
    }
    shown = {name: to_bytes(resize(image, size)) for name, image in images.items()}
    return PairViews(index, longest, **shown)
