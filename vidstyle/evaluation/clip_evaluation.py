"""Every metric of temporal consistency, of several clips, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from vidstyle.core.layers import HostArray
from vidstyle.evaluation.clip_metrics import ClipSums, evaluation_of
from vidstyle.evaluation.frame_groups import (
    EVERY,
    EVERY_DISTANCE,
    FrameGroup,
    NamedClip,
    group_frames,
)
from vidstyle.evaluation.motion import PairFlow, PairMotion
from vidstyle.evaluation.scores import Evaluation

PerceptualDistance: TypeAlias = Callable[[HostArray, HostArray], float]
"""LPIPS: the distance of two images (H, W, 3) RGB in [0, 1]."""

StyleLoss: TypeAlias = Callable[[HostArray, HostArray, HostArray], tuple[float, float]]
"""Gram losses of a frame and of the same one painted alone; the third image is the source's."""

STYLE_EVERY = 2 * EVERY
"""ClipFrames of a shot between those whose style is looked at: it costs more than all the rest."""


def evaluate_clips(
    source: Iterable[HostArray],
    clips: Mapping[str, Iterable[HostArray]],
    flow: PairFlow,
    *,
    judge: str,
    per_frame: Iterable[HostArray] | None = None,
    cuts: Collection[int] = (),
    likeness: PerceptualDistance | None = None,
    style_loss: StyleLoss | None = None,
    allowed_blobs: float = 0.0,
    notes: Sequence[str] = (),
) -> dict[str, Evaluation]:
    """The figures of ``evaluation.METRICS`` that apply, of each of the clips.

    All are painted from ``source``, whose motion ``flow`` finds, once for all; ``judge`` is that
    flow's name. ``per_frame`` is the same painting without any blend: without it there is nothing
    to compare flicker, likeness or detail with. ClipFrames are (H, W, 3) RGB in [0, 1], read once and
    together; memory does not grow with their number. ``cuts`` are the indices of frames that begin
    a shot. ``allowed_blobs`` is the share of black and white areas in the style's own painting.
    ``notes`` are put before those that say what is missing.

    Raises InputError where the clips differ in length or size, or no pair of frames can be judged.
    """
    named: list[NamedClip] = [("the source", source)]
    if per_frame is not None:
        named.append(("the per-frame clip", per_frame))
    everyone = _Everyone(
        clips=tuple(clips),
        has_per_frame=per_frame is not None,
        likeness=likeness,
        style_loss=style_loss,
        allowed_blobs=allowed_blobs,
    )
    for group in group_frames([*named, *clips.items()], flow, cuts=cuts, distances=EVERY_DISTANCE):
        everyone.add(group)
    return {
        name: evaluation_of(
            sums,
            everyone.source,
            everyone.per_frame,
            judge=judge,
            cuts=sorted(cut for cut in set(cuts) if 0 < cut < everyone.frames),
            notes=notes,
        )
        for name, sums in everyone.judged.items()
    }


@dataclass(slots=True)
class _Everyone:
    """The sums of the source, of the per-frame clip and of each judged one."""

    clips: Sequence[str]
    has_per_frame: bool
    likeness: PerceptualDistance | None
    style_loss: StyleLoss | None
    allowed_blobs: float
    frames: int = 0
    source: ClipSums = field(default_factory=ClipSums)
    per_frame: ClipSums | None = None
    judged: dict[str, ClipSums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.per_frame = ClipSums() if self.has_per_frame else None
        self.judged = {name: ClipSums() for name in self.clips}

    def add(self, group: FrameGroup) -> None:
        self.frames += 1
        everyone = [self.source, *([self.per_frame] if self.per_frame else ())]
        for position, sums in enumerate([*everyone, *self.judged.values()]):
            sums.add_pairs(group, position)
        source = group.frames[0]
        self.source.add_gradient(source)
        alone = group.frames[1] if self.per_frame else None
        for position, sums in enumerate(self.judged.values(), len(everyone)):
            frame = group.frames[position]
            sums.add_gradient(frame)
            sums.add_still(frame, _motion(group))
            sums.add_dead(frame, source, allowed_blobs=self.allowed_blobs)
            if alone is not None:
                sums.add_beside(frame, alone, _motion(group), after_cut=group.after_cut)
                self._add_costly(sums, group, frame, alone)

    def _add_costly(
        self, sums: ClipSums, group: FrameGroup, frame: HostArray, alone: HostArray
    ) -> None:
        if self.likeness:
            sums.quotient("lpips").add(self.likeness(frame, alone))
        if self.style_loss:
            # Not on the first frame of a shot, which a blend leaves as it is.
            if group.offset % STYLE_EVERY == EVERY:
                sums.quotient("style_loss_ratio").add(
                    *self.style_loss(frame, alone, group.frames[0])
                )
            else:
                sums.quotient("style_loss_ratio").skip()


def _motion(group: FrameGroup) -> PairMotion | None:
    pair = group.pairs.get("near")
    return pair.motion if pair else None
