"""Warping error: how much a clip flickers, by the motion of the clip it was made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.frame_groups import ClipFrames, group_frames
from vidstyle.evaluation.frame_metrics import mean_gradient
from vidstyle.evaluation.motion import PairFlow, PairMotion
from vidstyle.evaluation.scores import Quotient
from vidstyle.imaging.warp import warp

__all__ = [
    "PairFlow",
    "WarpingError",
    "WarpingSums",
    "warping_error_reduction",
    "warping_errors",
]


@dataclass(frozen=True, slots=True)
class WarpingError:
    """What the pairs of frames of one clip add up to."""

    value: float
    """E_warp: mean over pairs of the mean squared error of the masked pixels and channels."""
    stability: float
    """e_stab: root of the mean over pairs of the masked squared error over all pixels."""
    coverage: float
    """Share of the pixels that the mask let through."""
    pairs: int
    """How many pairs of frames were compared."""


def warping_errors(
    source: Iterable[HostArray],
    clips: Mapping[str, Iterable[HostArray]],
    flow: PairFlow,
    *,
    cuts: Collection[int] = (),
) -> dict[str, WarpingError]:
    """E_warp of each of the clips, all painted from ``source``, between neighboring frames.

    ClipFrames are (H, W, 3) RGB in [0, 1]; two of each clip are held at a time. ``cuts`` are indices
    of frames that begin a shot: no pair crosses one. Raises InputError where the clips differ in
    length or size, or have no pair of frames.
    """
    sums = {name: WarpingSums() for name in clips}
    for group in group_frames([("the source", source), *clips.items()], flow, cuts=cuts):
        if pair := group.pairs.get("near"):
            for one, earlier, later in zip(
                sums.values(), pair.earlier[1:], group.frames[1:], strict=True
            ):
                one.add(earlier, later, pair.motion)
    return {name: one.result() for name, one in sums.items()}


def warping_error_reduction(error: WarpingError, per_frame: WarpingError) -> float:
    """D: the share of the per-frame clip's warping error that is gone; 0 where there was none."""
    return 1 - error.value / per_frame.value if per_frame.value else 0.0


@dataclass(slots=True)
class WarpingSums:
    """E_warp of one clip, fed pair by pair.

    The mean over pairs of ``Σ M (W(O[later], f) - O[earlier])² / Σ M``, with f the flow of the
    source between them and M the mask, counted over the channels: the form of the code that Lai et
    al. 2018 published. Pairs in which nothing can be followed count in ``over_all`` alone.
    """

    errors: Quotient = field(default_factory=Quotient)
    """E_warp, pair by pair."""
    over_all: Quotient = field(default_factory=Quotient)
    """The square of e_stab, pair by pair."""
    coverage: Quotient = field(default_factory=Quotient)

    def add(self, earlier: HostArray, later: HostArray, motion: PairMotion) -> None:
        """Take in a pair; both frames are (H, W, 3) in [0, 1]."""
        mask = motion.mask
        square = np.square(warp(later, motion.forward) - earlier, dtype=np.float64)[mask]
        self.coverage.add(float(mask.mean()))
        self.over_all.add(float(square.sum()) / earlier.size)
        if square.size:
            self.errors.add(float(square.mean()))
        else:
            self.errors.skip()

    def skip(self) -> None:
        """A frame that ends no pair."""
        for one in (self.errors, self.over_all, self.coverage):
            one.skip()

    def result(self) -> WarpingError:
        """Raises InputError where there was nothing to judge."""
        value = self.errors.value
        if value is None:
            raise InputError(
                "nothing to judge: the clip has no two frames of one shot with motion that can be"
                " followed; give a longer clip"
            )
        return WarpingError(
            value=value,
            stability=float(np.sqrt(self.over_all.value or 0.0)),
            coverage=self.coverage.value or 0.0,
            pairs=sum(one is not None for one in self.coverage.frames),
        )


Stylizer: TypeAlias = Callable[[HostArray], HostArray]
"""An image (H, W, 3) RGB in [0, 1] painted, of the same size."""


@dataclass(frozen=True, slots=True)
class SourceRatios:
    """What painting did to one clip."""

    error: WarpingError
    """Of the painted clip."""
    error_ratio: float
    """E(O)/E(I): its warping error over the source's."""
    gradient_ratio: float
    """G(O)/G(I): its mean squared gradient over the source's. A painting that follows its source
    and only changes the contrast has the same ratio in both; what E has beyond it is flicker."""


def compare_with_source(
    source: Iterable[HostArray],
    stylizers: Mapping[str, Stylizer],
    flow: PairFlow,
    *,
    cuts: Collection[int] = (),
) -> dict[str, SourceRatios]:
    """How steady each of the painters is on a clip, frame by frame and without any blend.

    ``source`` is read once, (H, W, 3) RGB in [0, 1], and its motion found once for all of them;
    ``cuts`` are indices of frames that begin a shot. Raises InputError where there is no pair of
    frames to judge, and where the source has no warping error or no gradient to compare with.
    """
    sums = [_Sums() for _ in range(1 + len(stylizers))]
    before: ClipFrames = ()
    for group in group_frames([("the source", source)], flow, cuts=cuts):
        pair = group.pairs.get("near")
        (image,) = group.frames
        frames = (image, *(stylizer(image) for stylizer in stylizers.values()))
        for number, (one, frame) in enumerate(zip(sums, frames, strict=True)):
            one.gradient.add(mean_gradient(frame))
            if pair:
                one.warping.add(before[number], frame, pair.motion)
        before = frames
    known, *stylized = sums
    error, gradient = known.warping.result().value, known.gradient.value
    if not (error and gradient):
        raise InputError(
            "the clip is still or blank, so that no steadiness can be compared with its own:"
            " give one that moves"
        )
    return {
        name: one.against(error, gradient) for name, one in zip(stylizers, stylized, strict=True)
    }


@dataclass(slots=True)
class _Sums:
    warping: WarpingSums = field(default_factory=WarpingSums)
    gradient: Quotient = field(default_factory=Quotient)

    def against(self, error: float, gradient: float) -> SourceRatios:
        found = self.warping.result()
        return SourceRatios(found, found.value / error, (self.gradient.value or 0.0) / gradient)
