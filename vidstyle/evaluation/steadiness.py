"""Steadiness of paintings against their source: contrast alone raises the warping error."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import tee
from typing import TypeAlias

import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.warping_error import JudgingFlow, WarpingError, warping_errors

Painter: TypeAlias = Callable[[HostArray], HostArray]
"""A picture (H, W, 3) RGB in [0, 1] painted, of the same size."""

_SOURCE = ""


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
    painters: Mapping[str, Painter],
    flow: JudgingFlow,
    *,
    cuts: Collection[int] = (),
) -> dict[str, Steadiness]:
    """How steady each of the painters is on a clip, frame by frame and without any blend.

    ``source`` is read once, (H, W, 3) RGB in [0, 1], and its motion found once for all of them;
    ``cuts`` are indices of frames that begin a shot. Raises InputError where there is no pair of
    frames to judge, and where the source has no warping error or no gradient to compare with.
    """
    judged, *copies = tee(source, len(painters) + 2)
    paintings = {_SOURCE: _untouched, **painters}.items()
    frames = {
        name: map(painter, copy) for (name, painter), copy in zip(paintings, copies, strict=True)
    }
    gradients = {name: _MeanGradient() for name in frames}
    clips = {name: gradients[name].noting(frames[name]) for name in frames}
    errors = warping_errors(judged, clips, flow, cuts=cuts)
    error, gradient = errors[_SOURCE].value, gradients[_SOURCE].value
    if not (error and gradient):
        raise InputError(
            "the clip is still or blank, so that no steadiness can be compared with its own:"
            " give one that moves"
        )
    return {
        name: Steadiness(errors[name], errors[name].value / error, gradients[name].value / gradient)
        for name in painters
    }


def _untouched(picture: HostArray) -> HostArray:
    return picture


class _MeanGradient:
    """G: the mean squared difference of neighbours, across plus down, of the frames seen."""

    def __init__(self) -> None:
        self._sum, self._frames = 0.0, 0

    @property
    def value(self) -> float:
        return self._sum / max(self._frames, 1)

    def noting(self, frames: Iterable[HostArray]) -> Iterator[HostArray]:
        for frame in frames:
            across, down = (np.square(np.diff(frame, axis=axis)) for axis in (1, 0))
            self._sum += float(across.mean(dtype=np.float64) + down.mean(dtype=np.float64))
            self._frames += 1
            yield frame
