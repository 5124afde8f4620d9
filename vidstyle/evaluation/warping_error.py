"""Warping error: how much a clip flickers, by the motion of the clip that it was made from."""

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
from vidstyle.imaging.warp import warp_image

Stylizer: TypeAlias = Callable[[HostArray], HostArray]
"""From an image (H, W, 3) RGB in [0, 1] to its stylized image, of the same size."""


@dataclass(frozen=True, slots=True)
class WarpingError:
    """What the pairs of frames of one clip add up to."""

    value: float
    """E_warp: mean over pairs of the mean squared error of the masked pixels and channels."""
    stability: float
    """e_stab: root of the mean over pairs of the masked squared error over all pixels."""
    coverage: float
    """Fraction of the pixels that the mask let through."""
    pairs: int
    """How many pairs of frames were compared."""


def warping_errors(
    source: Iterable[HostArray],
    clips: Mapping[str, Iterable[HostArray]],
    flow: PairFlow,
    *,
    cuts: Collection[int] = (),
) -> dict[str, WarpingError]:
    """Measure E_warp of clips made from one source, between neighboring frames.

    Args:
        source: Frames (H, W, 3) RGB in [0, 1]; two of each clip are in memory at a time.
        clips: Frames like those of the source, by the name of the clip.
        flow: The optical flow that evaluates.
        cuts: Indices of frames that begin a shot: no pair crosses one.

    Returns:
        The error of each clip by its name.

    Raises:
        InputError: The clips differ in length or size, or have no pair of frames.
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
    """Give the part of the per-frame baseline's warping error that is gone.

    Args:
        error: Of a clip.
        per_frame: Of its per-frame baseline.

    Returns:
        At most 1, negative where there is more error; 0 if the baseline had none.
    """
    return 1 - error.value / per_frame.value if per_frame.value else 0.0


@dataclass(slots=True)
class WarpingSums:
    """E_warp of one clip, added up pair by pair.

    The mean over pairs of ``Σ M (W(O[later], f) - O[earlier])² / Σ M``, with f the flow of the
    source between them and M the mask, counted over the channels: the form of the code that Lai et
    al. published with Learning Blind Video Temporal Consistency (2018). A pair without any pixel
    in the mask counts in ``over_all`` only.
    """

    errors: Quotient = field(default_factory=Quotient)
    """E_warp, pair by pair."""
    over_all: Quotient = field(default_factory=Quotient)
    """The square of e_stab, pair by pair."""
    coverage: Quotient = field(default_factory=Quotient)

    def add(self, earlier: HostArray, later: HostArray, motion: PairMotion) -> None:
        """Add a pair.

        Args:
            earlier: (H, W, 3) RGB in [0, 1].
            later: Of the same shape.
            motion: Between the same frames of the source.
        """
        mask = motion.mask
        square = np.square(warp_image(later, motion.forward) - earlier, dtype=np.float64)[mask]
        self.coverage.add(float(mask.mean()))
        self.over_all.add(float(square.sum()) / earlier.size)
        if square.size:
            self.errors.add(float(square.mean()))
        else:
            self.errors.skip()

    def skip(self) -> None:
        """Add a frame that ends no pair."""
        for one in (self.errors, self.over_all, self.coverage):
            one.skip()

    def result(self) -> WarpingError:
        """Give the means. Raises InputError where no pair has a pixel in its mask."""
        value = self.errors.value
        if value is None:
            raise InputError(
                "nothing to evaluate: the clip has no two frames of one shot with motion that can"
                " be followed; give a longer clip"
            )
        return WarpingError(
            value=value,
            stability=float(np.sqrt(self.over_all.value or 0.0)),
            coverage=self.coverage.value or 0.0,
            pairs=sum(one is not None for one in self.coverage.frames),
        )


@dataclass(frozen=True, slots=True)
class SourceRatios:
    """Warping error and gradients of a stylized clip over those of its source."""

    error: WarpingError
    """Of the stylized clip."""
    error_ratio: float
    """E(O)/E(I): its warping error over the source's."""
    gradient_ratio: float
    """G(O)/G(I): its mean squared gradient over the source's. A stylized clip that follows its
    source and only changes the contrast has the same ratio in both; flicker raises the first."""


def compare_with_source(
    source: Iterable[HostArray],
    stylizers: Mapping[str, Stylizer],
    flow: PairFlow,
    *,
    cuts: Collection[int] = (),
) -> dict[str, SourceRatios]:
    """Measure the temporal consistency of stylizers, frame by frame and without a blend.

    Args:
        source: Frames (H, W, 3) RGB in [0, 1], read once.
        stylizers: By name; all see the same frames and share the source's flow.
        flow: The optical flow that evaluates.
        cuts: Indices of frames that begin a shot.

    Returns:
        The ratios of each stylizer by its name.

    Raises:
        InputError: There is no pair of frames, or the source has no warping error or no gradient.
    """
    sums = [_StylizerSums() for _ in range(1 + len(stylizers))]
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
    own, *stylized = sums
    error, gradient = own.warping.result().value, own.gradient.value
    if not (error and gradient):
        raise InputError(
            "the clip is still or blank, so that nothing can be compared with its own warping"
            " error: give one that moves"
        )
    return {name: one.over(error, gradient) for name, one in zip(stylizers, stylized, strict=True)}


@dataclass(slots=True)
class _StylizerSums:
    warping: WarpingSums = field(default_factory=WarpingSums)
    gradient: Quotient = field(default_factory=Quotient)

    def over(self, error: float, gradient: float) -> SourceRatios:
        found = self.warping.result()
        return SourceRatios(found, found.value / error, (self.gradient.value or 0.0) / gradient)
