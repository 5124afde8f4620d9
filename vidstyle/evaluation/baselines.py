"""The plain ways to steady a painting, for ours to be compared with under one flow and one judge.

Each takes the frames of a clip with the layers ``image`` (painted frame by frame), ``source``,
``flow`` and ``visible``, and gives its images (H, W, 3) RGB in [0, 1] one for one. None carries
anything over a change of ``shot``, and none holds more than three frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from vidstyle.core.frame import Frame
from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import warp

Blend: TypeAlias = Callable[[Iterable[Frame]], Iterator[HostArray]]
"""ClipFrames in, as many images out."""

STEEPNESS = 6800.0
"""Of the bidirectional weights, per squared length of a difference of RGB in [0, 1]."""
PREVIOUS_SHARE, NEXT_SHARE = 0.45, 0.3
"""The most that the previous and the next painting weigh in the bidirectional one."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """One point on the curve of one method."""

    method: str
    """For people; equal for all points of a curve."""
    dial: float | None
    """What was set, in [0, 1]; None for a method without a dial."""
    blend: Blend

    @property
    def name(self) -> str:
        return self.method if self.dial is None else f"{self.method} {self.dial:g}"


def per_frame(frames: Iterable[Frame]) -> Iterator[HostArray]:
    """Every painting as it is: the yardstick."""
    for frame in frames:
        yield frame.host("image")


def moving_average(frames: Iterable[Frame], *, weight: float) -> Iterator[HostArray]:
    """``P + weight (O_before - P)``, pixel on pixel, whatever moves.

    ``weight`` is in [0, 1]; 0 gives every painting bit for bit. Raises ValueError outside.
    """
    _check_share(weight)
    return _recurrent(frames, lambda frame, before: before, lambda frame: np.float32(weight))


def unmasked_warp(frames: Iterable[Frame], *, strength: float) -> Iterator[HostArray]:
    """``P + strength (W(O_before) - P)``: carried along the flow, wrong where it hides.

    Bilinear. ``strength`` as the weight of ``moving_average``.
    """
    _check_share(strength)
    return _recurrent(frames, _carried, lambda frame: np.float32(strength))


def masked_warp(frames: Iterable[Frame], *, strength: float) -> Iterator[HostArray]:
    """``P + strength M (W(O_before) - P)``, M the layer ``visible`` (Chen et al. 2017, Ruder 2016).

    Bilinear. ``strength`` as the weight of ``moving_average``.
    """
    _check_share(strength)
    return _recurrent(
        frames,
        _carried,
        lambda frame: np.float32(strength) * frame.host("visible")[..., np.newaxis],
    )


def bidirectional(frames: Iterable[Frame]) -> Iterator[HostArray]:
    """``P + w_p (W(P_before) - P) + w_n (W(P_after) - P)``: both neighbors, no recurrence.

    With ΔI the difference of the source and the warped neighboring source, the weights are
    ``min(0.45, exp(-6800 |ΔI|²))`` for the frame before and ``min(0.3, ...)`` for the one after,
    |ΔI|² summed over the channels; 0 where the shot has no such frame. After the local consistency
    of Shekhar et al., "Interactive Control over Temporal Consistency while Stylizing Video
    Streams" (2023). Also needs the layer ``flow_from_previous``.
    """
    before: Frame | None = None
    now: Frame | None = None
    for after in frames:
        if now is not None:
            yield _between(before, now, after)
        before, now = now, after
    if now is not None:
        yield _between(before, now, None)


def _between(before: Frame | None, now: Frame, after: Frame | None) -> HostArray:
    image = now.host("image")
    result = image.copy()
    if before is not None and before.shot == now.shot:
        result += _share_of(before, now, now.host("flow"), PREVIOUS_SHARE)
    if after is not None and after.shot == now.shot:
        result += _share_of(after, now, after.host("flow_from_previous"), NEXT_SHARE)
    # Rounding may leave the range that a mean of images cannot leave.
    return np.clip(result, 0, 1, out=result)


def _share_of(neighbor: Frame, now: Frame, flow: HostArray, most: float) -> HostArray:
    """What the neighbor's painting changes in this frame's, with its weight."""
    change = now.host("source") - warp(neighbor.host("source"), flow)
    weight = np.exp(-STEEPNESS * np.square(change, dtype=np.float64).sum(axis=2, keepdims=True))
    weight = np.minimum(weight, most).astype(np.float32)
    return np.asarray(weight * (warp(neighbor.host("image"), flow) - now.host("image")))


def _carried(frame: Frame, before: HostArray) -> HostArray:
    return warp(before, frame.host("flow"))


def _recurrent(
    frames: Iterable[Frame],
    history_of: Callable[[Frame, HostArray], HostArray],
    share_of: Callable[[Frame], HostArray | np.float32],
) -> Iterator[HostArray]:
    """The painting moved towards the last output by a share; as it is where a shot begins."""
    output: HostArray | None = None
    shot = None
    for frame in frames:
        image = frame.host("image")
        if output is None or frame.shot != shot:
            output = image
        else:
            output = image + share_of(frame) * (history_of(frame, output) - image)
        shot = frame.shot
        yield output


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"a share of the history is from 0 to 1, got {share}")


BASELINES: tuple[Baseline, ...] = (
    Baseline("per frame", None, per_frame),
    *(
        Baseline("moving average", weight, partial(moving_average, weight=weight))
        for weight in (0.3, 0.5, 0.7)
    ),
    *(
        Baseline("warp without mask", strength, partial(unmasked_warp, strength=strength))
        for strength in (0.5, 0.8, 0.9)
    ),
    *(
        Baseline("masked warp", strength, partial(masked_warp, strength=strength))
        for strength in (0.5, 0.8, 0.9)
    ),
    Baseline("bidirectional", None, bidirectional),
)
"""Those that ``benchmarks/temporal.py`` runs, curve by curve; the first is the yardstick."""
