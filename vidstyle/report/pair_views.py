"""What a pair of frames looks like to the figure that judges it."""

from __future__ import annotations

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
from vidstyle.imaging.contact_sheet import Image
from vidstyle.imaging.flow_colors import flow_colors
from vidstyle.imaging.warp import warp_image
from vidstyle.report.reading import Interval, side_by_side
from vidstyle.report.shown_size import Size, in_bytes, resized, shown_size

GAIN: Final = 5
"""How much stronger a difference is shown than it is."""
WIDEST: Final = 480
"""Pixels across that a view has at most."""
_SHORTEST: Final = 1.0
# Pixels of flow that have the full color at least: noise of a still camera stays pale.


@dataclass(frozen=True, slots=True, eq=False)
class PairViews:
    """Images of one pair of frames, each at most ``WIDEST`` across."""

    index: int
    """Of the later frame, counted from the first one judged."""
    longest: float
    """Length in pixels of the flow that has the full color."""
    earlier: Image
    later: Image
    warped: Image
    """The later frame on the grid of the earlier one."""
    flow: Image
    """Of the source, from the earlier frame to the later."""
    mask: Image
    """White where the flow holds: nothing else is judged."""
    difference: Image
    """Of ``warp_imageed`` and ``earlier`` where the mask is white, ``GAIN`` times as strong."""


def pairs_of_clips(
    source: Path,
    clips: Mapping[str, Path],
    wanted: Mapping[str, tuple[int, ...]],
    flow: PairFlow,
    frames: Interval,
) -> dict[str, tuple[PairViews, ...]]:
    """Views of the pairs that end at the ``wanted`` frames of each clip, in that order.

    None of the clips has the reserved name ``SOURCE``. They are read once; a flow that several of
    them ask for is found once. Raises InputError where they end before a wanted frame.
    """
    left = {index for indices in wanted.values() for index in indices}
    views: dict[str, dict[int, PairViews]] = {name: {} for name in clips}
    before: ClipFrames = ()
    with side_by_side({SOURCE: source, **clips}, frames) as opened:
        size = shown_size(opened.clip, WIDEST)
        for moment in opened.moments if left else ():
            if moment.index in left:
                motion = pair_motion(before[0], moment.images[0], flow)
                stylized = zip(clips, before[1:], moment.images[1:], strict=True)
                for name, earlier, later in stylized:
                    if moment.index in wanted[name]:
                        pair = earlier, later
                        views[name][moment.index] = _views(moment.index, motion, pair, size)
                left.remove(moment.index)
            if not left:
                break
            before = moment.images
    if left:
        raise InputError(
            f"the clips end before frame {frames[0] + min(left)}, which has been judged;"
            " give the clips that were judged"
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
    shown = {name: in_bytes(resized(image, size)) for name, image in images.items()}
    return PairViews(index, longest, **shown)
