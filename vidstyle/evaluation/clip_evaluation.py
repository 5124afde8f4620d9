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
from vidstyle.evaluation.frame_metrics import FrameComparison
from vidstyle.evaluation.motion import PairFlow
from vidstyle.evaluation.scores import Evaluation

PerceptualDistance: TypeAlias = Callable[[HostArray, HostArray], float]
"""LPIPS: the distance of two images (H, W, 3) RGB in [0, 1]."""

StyleLoss: TypeAlias = Callable[[HostArray, HostArray, HostArray], tuple[float, float]]
"""Gram losses of a frame and of its per-frame baseline; the third image is the source's."""

STYLE_EVERY = 2 * EVERY
"""Frames of a shot between those whose style is measured: it costs more than all the rest."""


def evaluate_clips(
    source: Iterable[HostArray],
    clips: Mapping[str, Iterable[HostArray]],
    flow: PairFlow,
    *,
    evaluator: str,
    per_frame: Iterable[HostArray] | None = None,
    cuts: Collection[int] = (),
    perceptual: PerceptualDistance | None = None,
    style_loss: StyleLoss | None = None,
    allowed_blobs: float = 0.0,
    notes: Sequence[str] = (),
) -> dict[str, Evaluation]:
    """Measure the metrics of ``scores.METRICS`` that apply, of each of the clips.

    Frames are (H, W, 3) RGB in [0, 1], read once and together; memory hardly grows with their
    number.

    Args:
        source: The clip before it was stylized; its motion counts for all.
        clips: Stylized clips by name.
        flow: The optical flow that evaluates, run once for all clips.
        evaluator: Its name.
        per_frame: The per-frame baseline: the same style without a blend. Metrics that compare
            with it are left out without it.
        cuts: Indices of the frames that begin a shot.
        perceptual: LPIPS, where it is at hand.
        style_loss: The loss of the style, where its image is known.
        allowed_blobs: Fraction of the style image that black and white areas take.
        notes: Put before those that say what is missing.

    Returns:
        The evaluation of each clip by its name.

    Raises:
        InputError: The clips differ in length or size, or no pair of frames has a score.
    """
    named: list[NamedClip] = [("the source", source)]
    if per_frame is not None:
        named.append(("the per-frame clip", per_frame))
    sums = _AllSums(
        clips=tuple(clips),
        has_per_frame=per_frame is not None,
        perceptual=perceptual,
        style_loss=style_loss,
        allowed_blobs=allowed_blobs,
    )
    for group in group_frames([*named, *clips.items()], flow, cuts=cuts, distances=EVERY_DISTANCE):
        sums.add(group)
    return {
        name: evaluation_of(
            one,
            sums.source,
            sums.per_frame,
            evaluator=evaluator,
            cuts=sorted(cut for cut in set(cuts) if 0 < cut < sums.frames),
            notes=notes,
        )
        for name, one in sums.stylized.items()
    }


@dataclass(slots=True)
class _AllSums:
    """The sums of the source, of the per-frame baseline and of each stylized clip."""

    clips: Sequence[str]
    has_per_frame: bool
    perceptual: PerceptualDistance | None
    style_loss: StyleLoss | None
    allowed_blobs: float
    frames: int = 0
    source: ClipSums = field(default_factory=ClipSums)
    per_frame: ClipSums | None = None
    stylized: dict[str, ClipSums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.per_frame = ClipSums() if self.has_per_frame else None
        self.stylized = {name: ClipSums() for name in self.clips}

    def add(self, group: FrameGroup) -> None:
        self.frames += 1
        given = [self.source, *([self.per_frame] if self.per_frame else ())]
        for position, sums in enumerate([*given, *self.stylized.values()]):
            sums.add_pairs(group, position)
        source = group.frames[0]
        self.source.add_gradient(source)
        per_frame = group.frames[1] if self.per_frame else None
        near = group.pairs.get("near")
        motion = near.motion if near else None
        for position, sums in enumerate(self.stylized.values(), len(given)):
            frame = group.frames[position]
            sums.add_gradient(frame)
            sums.add_still(frame, motion)
            sums.add_dead(frame, source, allowed_blobs=self.allowed_blobs)
            if per_frame is not None:
                sums.add_comparison(FrameComparison(frame, per_frame, motion, group.after_cut))
                self._add_costly(sums, group, frame, per_frame)

    def _add_costly(
        self, sums: ClipSums, group: FrameGroup, frame: HostArray, per_frame: HostArray
    ) -> None:
        if self.perceptual:
            sums.quotient("lpips").add(self.perceptual(frame, per_frame))
        if self.style_loss:
            # Not on the first frame of a shot, which a blend leaves as it is.
            if group.offset % STYLE_EVERY == EVERY:
                losses = self.style_loss(frame, per_frame, group.frames[0])
                sums.quotient("style_loss_ratio").add(*losses)
            else:
                sums.quotient("style_loss_ratio").skip()
