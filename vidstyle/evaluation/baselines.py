"""Plain ways to reduce flicker, to compare ours with under the same flow and evaluator.

Each takes the frames of a clip with the layers ``image`` (stylized frame by frame), ``source``,
``flow`` and ``visible``, and gives as many images (H, W, 3) RGB in [0, 1]. None carries anything
over a change of ``shot``, and none keeps more than three frames in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from vidstyle.core.frame import Frame
from vidstyle.core.layers import HostArray
from vidstyle.imaging.warp import warp_image

Blend: TypeAlias = Callable[[Iterable[Frame]], Iterator[HostArray]]
"""Frames in, as many images out."""

STEEPNESS = 6800.0
"""Of the bidirectional weights, per squared length of a difference of RGB in [0, 1]."""
PREVIOUS_WEIGHT, NEXT_WEIGHT = 0.45, 0.3
"""Largest weights of the previous and of the next stylized frame in the bidirectional blend."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """One point on the curve of one method."""

    method: str
    """Its name, equal for all points of a curve."""
    parameter: float | None
    """In [0, 1]; None for a method without a parameter."""
    blend: Blend

    @property
    def name(self) -> str:
        """Method and parameter."""
        return self.method if self.parameter is None else f"{self.method} {self.parameter:g}"


def per_frame(frames: Iterable[Frame]) -> Iterator[HostArray]:
    """Give every stylized frame as it is: the per-frame baseline.

    Args:
        frames: See the module.

    Yields:
        (H, W, 3) RGB in [0, 1], one for each frame.
    """
    for frame in frames:
        yield frame.host("image")


def moving_average(frames: Iterable[Frame], *, weight: float) -> Iterator[HostArray]:
    """Blend ``P + weight (O_before - P)``, pixel on pixel, whatever moves.

    Args:
        frames: See the module.
        weight: Of the previous output, in [0, 1]; 0 gives every stylized frame bit for bit.

    Returns:
        (H, W, 3) RGB in [0, 1], one for each frame.

    Raises:
        ValueError: The weight is outside of [0, 1].
    """
    _check_weight(weight)
    return _blend_recurrently(
        frames, lambda frame, before: before, lambda frame: np.float32(weight)
    )


def unmasked_warp(frames: Iterable[Frame], *, strength: float) -> Iterator[HostArray]:
    """Blend ``P + strength (W(O_before) - P)``: warped along the flow, wrong where it hides.

    Warping is bilinear.

    Args:
        frames: See the module.
        strength: As the weight of ``moving_average``.

    Returns:
        (H, W, 3) RGB in [0, 1], one for each frame.
    """
    _check_weight(strength)
    return _blend_recurrently(frames, _warp_previous, lambda frame: np.float32(strength))


def masked_warp(frames: Iterable[Frame], *, strength: float) -> Iterator[HostArray]:
    """Blend ``P + strength M (W(O_before) - P)``, M the layer ``visible``.

    Warping is bilinear.

    Args:
        frames: See the module.
        strength: As the weight of ``moving_average``.

    Returns:
        (H, W, 3) RGB in [0, 1], one for each frame.

    References:
        Chen et al. 2017, Coherent Online Video Style Transfer; Ruder, Dosovitskiy and Brox 2016,
        Artistic Style Transfer for Videos.
    """
    _check_weight(strength)
    return _blend_recurrently(
        frames,
        _warp_previous,
        lambda frame: np.float32(strength) * frame.host("visible")[..., np.newaxis],
    )


def bidirectional(frames: Iterable[Frame]) -> Iterator[HostArray]:
    """Blend ``P + w_p (W(P_before) - P) + w_n (W(P_after) - P)``: both neighbors, no recurrence.

    With ΔI the difference of the source and the warped neighboring source, the weights are
    ``min(0.45, exp(-6800 |ΔI|²))`` for the frame before and ``min(0.3, ...)`` for the one after,
    |ΔI|² summed over the channels; 0 where the shot has no such frame. Also needs the layer
    ``flow_from_previous``.

    Args:
        frames: See the module; they also have the layer ``flow_from_previous``.

    Yields:
        (H, W, 3) RGB in [0, 1], one for each frame.

    References:
        Local consistency as in Shekhar et al. 2023, Interactive Control over Temporal Consistency
        while Stylizing Video Streams.
    """
    before: Frame | None = None
    now: Frame | None = None
    for after in frames:
        if now is not None:
            yield _blend_neighbors(before, now, after)
        before, now = now, after
    if now is not None:
        yield _blend_neighbors(before, now, None)


def _blend_neighbors(before: Frame | None, now: Frame, after: Frame | None) -> HostArray:
    image = now.host("image")
    result = image.copy()
    if before is not None and before.shot == now.shot:
        result += _weighted_change(before, now, now.host("flow"), PREVIOUS_WEIGHT)
    if after is not None and after.shot == now.shot:
        result += _weighted_change(after, now, after.host("flow_from_previous"), NEXT_WEIGHT)
    # Rounding may leave the range that a mean of images cannot leave.
    return np.clip(result, 0, 1, out=result)


def _weighted_change(neighbor: Frame, now: Frame, flow: HostArray, most: float) -> HostArray:
    """What the neighbor's stylized image changes in this frame's, with its weight."""
    change = now.host("source") - warp_image(neighbor.host("source"), flow)
    weight = np.exp(-STEEPNESS * np.square(change, dtype=np.float64).sum(axis=2, keepdims=True))
    weight = np.minimum(weight, most).astype(np.float32)
    return np.asarray(weight * (warp_image(neighbor.host("image"), flow) - now.host("image")))


def _warp_previous(frame: Frame, before: HostArray) -> HostArray:
    return warp_image(before, frame.host("flow"))


def _blend_recurrently(
    frames: Iterable[Frame],
    history_of: Callable[[Frame, HostArray], HostArray],
    weight_of: Callable[[Frame], HostArray | np.float32],
) -> Iterator[HostArray]:
    """Move each stylized frame towards the last output; the first of a shot stays as it is."""
    output: HostArray | None = None
    shot = None
    for frame in frames:
        image = frame.host("image")
        if output is None or frame.shot != shot:
            output = image
        else:
            output = image + weight_of(frame) * (history_of(frame, output) - image)
        shot = frame.shot
        yield output


def _check_weight(weight: float) -> None:
    if not 0 <= weight <= 1:
        raise ValueError(f"a blend weight is from 0 to 1, got {weight}")


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
"""Those that ``benchmarks/temporal.py`` runs, curve by curve; the first is the per-frame one."""
