"""From what was added up over a clip to its scores, and to notes on what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vidstyle.core.layers import HostArray
from vidstyle.evaluation.frame_groups import EVERY, LONG, Distance, FrameGroup
from vidstyle.evaluation.frame_metrics import (
    FRAME_METRICS,
    FrameComparison,
    count_dead,
    mean_gradient,
)
from vidstyle.evaluation.motion import PairMotion
from vidstyle.evaluation.scores import Evaluation, Quotient, Series
from vidstyle.evaluation.still_areas import StillAreas
from vidstyle.evaluation.warping_error import WarpingSums, warping_error_reduction

_E_WARP: Mapping[Distance, str] = {
    "near": "e_warp",
    "long": "e_warp_long",
    "first": "e_warp_first",
}
# Notes on metrics that were asked for and that no frame had.
_UNDEFINED: Mapping[str, str] = {
    "sharpness": "the per-frame baseline has no detail: no sharpness beside it",
    "style_loss_ratio": (
        f"no shot has more than {EVERY} frames, and style is measured from frame {EVERY} of a"
        " shot on: no style loss"
    ),
}


@dataclass(slots=True)
class ClipSums:
    """What is added up over the frames of one clip; its memory hardly grows with their number."""

    warping: dict[Distance, WarpingSums] = field(
        default_factory=lambda: {distance: WarpingSums() for distance in _E_WARP}
    )
    gradient: Quotient = field(default_factory=Quotient)
    still: StillAreas = field(default_factory=StillAreas)
    quotients: dict[str, Quotient] = field(default_factory=dict)
    """By the names of their metrics."""

    def quotient(self, name: str) -> Quotient:
        """Give the quotient of a metric; a new one when it is first asked for.

        Args:
            name: Of the metric.

        Returns:
            The quotient, to add frames to.
        """
        return self.quotients.setdefault(name, Quotient())

    def add_pairs(self, group: FrameGroup, position: int) -> None:
        """Add the pairs that end at a group.

        Args:
            group: Frames of equal index.
            position: The clip's among them.
        """
        for distance, sums in self.warping.items():
            if pair := group.pairs.get(distance):
                sums.add(pair.earlier[position], group.frames[position], pair.motion)
            else:
                sums.skip()

    def add_gradient(self, frame: HostArray) -> None:
        """Add a frame's gradient.

        Args:
            frame: (H, W, 3) RGB in [0, 1].
        """
        self.gradient.add(mean_gradient(frame))

    def add_still(self, frame: HostArray, motion: PairMotion | None) -> None:
        """Add a frame to what is followed where nothing moves.

        Args:
            frame: (H, W, 3) RGB in [0, 1].
            motion: From the frame before; None at the start of a shot.
        """
        self.still.add(frame, motion.still if motion else None)

    def add_dead(self, frame: HostArray, source: HostArray, *, allowed_blobs: float) -> None:
        """Add the dead pixels and blobs of a frame.

        Args:
            frame: (H, W, 3) RGB in [0, 1].
            source: Of the same shape.
            allowed_blobs: As in ``count_dead``.
        """
        pixels, blobs = count_dead(frame, source, allowed_blobs=allowed_blobs)
        self.quotient("dead_pixels").add(pixels, frame.shape[0] * frame.shape[1])
        self.quotient("dead_blobs").add(blobs)

    def add_comparison(self, comparison: FrameComparison) -> None:
        """Add a frame beside its per-frame baseline.

        Args:
            comparison: The two, and the source.
        """
        for name, metric in FRAME_METRICS.items():
            if (found := metric(comparison)) is None:
                self.quotient(name).skip()
            else:
                self.quotient(name).add(*found)


def evaluation_of(
    sums: ClipSums,
    source: ClipSums,
    per_frame: ClipSums | None,
    *,
    evaluator: str,
    cuts: Sequence[int],
    notes: Sequence[str],
) -> Evaluation:
    """Give the evaluation of a clip.

    Args:
        sums: Of the clip.
        source: Of the source.
        per_frame: Of the per-frame baseline, if there is one.
        evaluator: Name of the flow that measures.
        cuts: Indices of frames that begin a shot.
        notes: What a reader of the scores should know.

    Returns:
        Scores and series.

    Raises:
        InputError: No pair of frames has a score.
    """
    near = sums.warping["near"].result()
    found = dict(_scores(sums, source, per_frame))
    scores = {name: value for name, value in found.items() if value is not None}
    return Evaluation(
        evaluator=evaluator,
        frames=len(sums.gradient.frames),
        cuts=tuple(cuts),
        coverage=near.coverage,
        scores=scores,
        series=dict(_series(sums, source, per_frame)),
        notes=(*notes, *_missing(scores, per_frame, wanted=sums.quotients)),
    )


def _scores(
    sums: ClipSums, source: ClipSums, per_frame: ClipSums | None
) -> Iterator[tuple[str, float | None]]:
    near = sums.warping["near"].result()
    yield "e_warp", near.value
    yield "e_warp_long", sums.warping["long"].errors.value
    yield "e_warp_first", sums.warping["first"].errors.value
    yield "e_stab", near.stability
    floor = source.warping["near"].result().value
    yield "source_e_warp", floor
    yield "relative_warping_error", _relative(near.value, floor, sums.gradient, source.gradient)
    if per_frame:
        yield "per_frame_e_warp", per_frame.warping["near"].result().value
        yield "warping_error_reduction", _reduction(sums, per_frame, "near")
        yield "warping_error_reduction_long", _reduction(sums, per_frame, "long")
    for name, quotient in sums.quotients.items():
        yield name, quotient.value
    yield "static_deviation", sums.still.deviation
    yield "luma_slope", sums.still.luma_slope


def _reduction(sums: ClipSums, per_frame: ClipSums, distance: Distance) -> float | None:
    own, baseline = sums.warping[distance], per_frame.warping[distance]
    if own.errors.value is None or baseline.errors.value is None:
        return None
    return warping_error_reduction(own.result(), baseline.result())


def _relative(
    error: float, source_error: float, gradient: Quotient, source_gradient: Quotient
) -> float | None:
    """(E(O)/E(I)) / (G(O)/G(I)); None where one of the divisors is 0."""
    if not (source_error and gradient.value and source_gradient.value):
        return None
    return (error / source_error) / (gradient.value / source_gradient.value)


def _series(
    sums: ClipSums, source: ClipSums, per_frame: ClipSums | None
) -> Iterator[tuple[str, Series]]:
    """Those that have a value anywhere."""
    rows = {name: sums.warping[distance].errors for distance, name in _E_WARP.items()}
    rows["source_e_warp"] = source.warping["near"].errors
    if per_frame:
        rows["per_frame_e_warp"] = per_frame.warping["near"].errors
    for name, quotient in (rows | sums.quotients).items():
        if any(value is not None for value in quotient.frames):
            yield name, quotient.series


def _missing(
    scores: Mapping[str, float], per_frame: ClipSums | None, *, wanted: Collection[str]
) -> Iterator[str]:
    """Why scores that a reader may look for are not there; ``wanted`` are those that were tried."""
    if per_frame is None:
        yield (
            "without a per-frame baseline there is no warping-error reduction, SSIM, LPIPS,"
            " sharpness, style loss, ghosting or cut bleed"
        )
    if "e_warp_long" not in scores:
        yield f"no frames of a shot that lie {LONG} apart can be compared: no error at a distance"
    if "static_deviation" not in scores:
        yield "nothing stands still throughout a shot: there is no static deviation or slope"
    if "relative_warping_error" not in scores:
        yield "the source has no warping error or the clip no detail: no relative warping error"
    for name, note in _UNDEFINED.items():
        if name in wanted and name not in scores:
            yield note
