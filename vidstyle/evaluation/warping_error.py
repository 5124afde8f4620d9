"""Warping error: how much a clip flickers, judged by the motion of the clip it was made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.together import Frames, together
from vidstyle.imaging.visibility import BoolMask, consistent
from vidstyle.imaging.warp import warp

JudgingFlow: TypeAlias = Callable[[HostArray, HostArray], HostArray]
"""Flow (H, W, 2) in pixels from the first picture to the second, both (H, W, 3) RGB in [0, 1].

It must not be the flow that the blend used: a blend is always right about its own motion.
"""


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
    flow: JudgingFlow,
    *,
    cuts: Collection[int] = (),
) -> dict[str, WarpingError]:
    """E_warp of each of the clips, all painted from ``source``.

    The mean over pairs t, t+1 of ``Σ M (W(O[t+1], f) - O[t])² / Σ M``, with f the flow of the
    source from t to t+1 and M the mask of ``judged_motion``, counted over the channels: the form
    of the code that Lai et al. 2018 published. Frames are (H, W, 3) RGB in [0, 1]; two of each
    clip are held at a time. ``cuts`` are indices of frames that begin a shot: no pair crosses one.
    Raises InputError where the clips differ in length or size, or have no pair of frames.
    """
    sums = {name: _Sums() for name in clips}
    for index, (before, now) in enumerate(_pairs([source, *clips.values()]), 1):
        if index in cuts:
            continue
        motion, mask = judged_motion(before[0], now[0], flow)
        for name, first, second in zip(clips, before[1:], now[1:], strict=True):
            sums[name].add(first, warp(second, motion), mask)
    return {name: one.result() for name, one in sums.items()}


def judged_motion(
    first: HostArray, second: HostArray, flow: JudgingFlow
) -> tuple[HostArray, BoolMask]:
    """Flow from ``first`` to ``second``, and where it holds: both on the grid of ``first``."""
    forward = flow(first, second)
    return forward, consistent(forward, flow(second, first))


def flicker_removed(error: WarpingError, per_frame: WarpingError) -> float:
    """D: the share of the per-frame clip's warping error that is gone; 0 where there was none."""
    return 1 - error.value / per_frame.value if per_frame.value else 0.0


@dataclass(slots=True)
class _Sums:
    errors: list[float] = field(default_factory=list)
    over_all: list[float] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)

    def add(self, frame: HostArray, warped: HostArray, mask: BoolMask) -> None:
        square = np.square(warped - frame, dtype=np.float64)[mask]
        self.coverage.append(float(mask.mean()))
        self.over_all.append(float(square.sum()) / frame.size)
        if square.size:
            self.errors.append(float(square.mean()))

    def result(self) -> WarpingError:
        if not self.errors:
            raise InputError(
                "nothing to judge: the clip has no two frames of one shot with motion that can be"
                " followed; give a longer clip"
            )
        return WarpingError(
            value=float(np.mean(self.errors)),
            stability=float(np.sqrt(np.mean(self.over_all))),
            coverage=float(np.mean(self.coverage)),
            pairs=len(self.coverage),
        )


def _pairs(clips: Sequence[Iterable[HostArray]]) -> Iterator[tuple[Frames, Frames]]:
    """Neighbouring frames of clips that run together."""
    before: Frames | None = None
    for now in together(*clips):
        if before is not None:
            yield before, now
        before = now
