"""Steadiness of paintings against their source: contrast alone raises the warping error."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.moments import moments
from vidstyle.evaluation.motion import JudgingFlow
from vidstyle.evaluation.quotient import Quotient
from vidstyle.evaluation.sharpness import mean_gradient
from vidstyle.evaluation.together import Frames
from vidstyle.evaluation.warping_error import WarpingError, WarpingSums

Stylizer: TypeAlias = Callable[[HostArray], HostArray]
"""An image (H, W, 3) RGB in [0, 1] painted, of the same size."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """What painting did to one clip."""

    error: WarpingError
    """Of the painted clip."""
    error_ratio: float
    """E(O)/E(I): its warping error over the source's."""
    gradient_ratio: float
    """G(O)/G(I): its mean squared gradient over the source's. A painting that follows its source
    and only changes the contrast has the same ratio in both; what E has beyond it is flicker."""


def steadiness(
    source: Iterable[HostArray],
    stylizers: Mapping[str, Stylizer],
    flow: JudgingFlow,
    *,
    cuts: Collection[int] = (),
) -> dict[str, Steadiness]:
    """How steady each of the painters is on a clip, frame by frame and without any blend.

    ``source`` is read once, (H, W, 3) RGB in [0, 1], and its motion found once for all of them;
    ``cuts`` are indices of frames that begin a shot. Raises InputError where there is no pair of
    frames to judge, and where the source has no warping error or no gradient to compare with.
    """
    sums = [_Sums() for _ in range(1 + len(stylizers))]
    before: Frames = ()
    for moment in moments([("the source", source)], flow, cuts=cuts):
        pair = moment.pairs.get("near")
        (image,) = moment.frames
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

    def against(self, error: float, gradient: float) -> Steadiness:
        found = self.warping.result()
        return Steadiness(found, found.value / error, (self.gradient.value or 0.0) / gradient)
