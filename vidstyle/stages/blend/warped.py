"""Recurrent temporal blend: carry the painting along with what it was painted on."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    HostArray,
    Layers,
    Needs,
    Reach,
    StageOptions,
    State,
    Window,
    keyframed,
)
from vidstyle.imaging.agreement import agreement, photometric_distance, pixel_distance
from vidstyle.imaging.clipping import clip_to_neighbourhood
from vidstyle.imaging.detail import detail_gain, fine_band
from vidstyle.imaging.smooth import smooth
from vidstyle.imaging.warp import Kernel, sample, targets

_LEAST = 1e-3
# Of the local mean of the weights, so that nothing is divided by nothing.

_FRAME_MARGIN = 0.05
# In pixels: noise in the flow of a still camera must not blind the outermost pixels.


class WarpedOptions(StageOptions):
    """The defaults aim at 85 % of the sharpness that the frames have on their own."""

    strength: float = keyframed(
        0.9,
        ge=0,
        le=1,
        description="Share of the previous output where all agrees; 0 leaves frames as they are.",
    )
    fine: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Part of the strength that fine detail gets: less is crisper, more is calmer.",
    )
    split: float = Field(
        1.4, ge=0.5, le=16, description="Sigma in pixels between fine detail and the rest."
    )
    detail: float = Field(
        2.0, ge=1, le=4, description="Most that detail lost by blending is amplified; 1 is off."
    )
    tolerance: float = Field(
        0.1,
        gt=0,
        le=2,
        description="Difference in the source above which pixels are painted anew.",
    )
    tolerance_hidden: float = Field(
        0.1,
        ge=0,
        le=2,
        description="The same where flow says that something is hidden; 0: always.",
    )
    clipping: float = Field(
        2.0,
        ge=0,
        le=8,
        description="Standard deviations, of the new painting around a pixel, that the previous"
        " output may differ by there: what keeps trails away; 0 is off.",
    )
    snap: float = Field(
        0.1, ge=0, le=1, description="Motion below so many pixels counts as none and blurs nothing."
    )
    kernel: Kernel = Field(
        "cubic", description="How the previous output is sampled; lanczos is slow, bilinear blurs."
    )


class Warped(BaseStage[WarpedOptions]):
    """Writes ``image``: the new painting mixed with the previous output, moved along the flow.

    ``image + strength · trust · (warped - image)``, the recurrent blend of Ruder et al. 2016 and
    Chen et al. 2017 without their networks. Trust is visibility times photometric agreement,
    between the source and the warped previous source; where flow says that something is hidden,
    only agreement pixel for pixel counts. The warped output is first brought within what the new
    painting shows around each pixel. Fine detail is mixed less than the rest, and what mixing takes
    from it is put back afterwards, outside of the recurrence, so that neither blur nor
    amplification can build up. The first frame of a shot passes unchanged, and so does every frame
    at strength 0. Results are in [0, 1].
    """

    Options = WarpedOptions
    needs = Needs(
        reads={"image": NOW, "flow": NOW, "visible": NOW, "source": Reach(behind=1)},
        writes=("image",),
        scope="shot",
    )

    def step(self, window: Window[WarpedOptions], state: State) -> tuple[Layers, State]:
        image = window.now.host("image")
        strength = window.options.strength
        if state is None or strength == 0:
            return {"image": image}, {"blended": image.copy()}
        previous = cast("HostArray", state["blended"])
        history, weight = _carried(window, previous)
        if window.options.clipping:
            deviations = window.options.clipping
            history = clip_to_neighbourhood(history, image, deviations=deviations)
        blended = _mixed(image, history, weight, window.options)
        return {"image": _crisp(blended, image, weight, window.options)}, {"blended": blended}


def _carried(window: Window[WarpedOptions], previous: HostArray) -> tuple[HostArray, HostArray]:
    """The previous output on this frame's grid, and how far each pixel of it can be trusted."""
    options, now = window.options, window.now
    columns, rows = targets(_snapped(now.host("flow"), options.snap))
    source_before = sample(window.behind[0].host("source"), columns, rows)
    history = sample(previous, columns, rows, kernel=options.kernel)
    source, visible = now.host("source"), now.host("visible")
    distance = photometric_distance(source, source_before)
    trust = np.multiply(visible, agreement(distance, options.tolerance))
    if options.tolerance_hidden:
        # Flow is often wrong where it says hidden: it has small steps at the edges of its
        # patches, which count as motion boundaries, and both directions disagree in motion that
        # is hard to follow. There the pictures decide; pixel for pixel, since what a slow object
        # uncovers is thin.
        np.maximum(distance, pixel_distance(source, source_before), out=distance)
        hidden = np.maximum(_inside(columns, rows) - visible, 0)
        trust += hidden * agreement(distance, options.tolerance_hidden)
    return history, trust


def _inside(columns: HostArray, rows: HostArray) -> HostArray:
    """1 where the flow leads into the previous frame, 0 where it leaves it."""
    height, width = columns.shape
    across = cv2.inRange(columns, -_FRAME_MARGIN, width - 1 + _FRAME_MARGIN)
    down = cv2.inRange(rows, -_FRAME_MARGIN, height - 1 + _FRAME_MARGIN)
    return np.multiply(cv2.bitwise_and(across, down), np.float32(1 / 255), dtype=np.float32)


def _snapped(flow: HostArray, least: float) -> HostArray:
    """The flow with motion shorter than ``least`` pixels set to 0."""
    u, v = cv2.split(flow)
    moves = cv2.magnitude(u, v) >= least
    return np.asarray(cv2.copyTo(flow, moves.view(np.uint8), np.zeros_like(flow)), np.float32)


def _mixed(
    image: HostArray, history: HostArray, weight: HostArray, options: WarpedOptions
) -> HostArray:
    """``image`` moved towards ``history``: by the strength, and less in its fine detail."""
    change = np.subtract(history, image)
    cv2.multiply(change, _three(weight), dst=change)
    # A mean weighted over what can be trusted: what is hidden must not leak into what is visible.
    rest = smooth(change, options.split)
    total = np.maximum(smooth(weight, options.split), np.float32(_LEAST))
    cv2.multiply(rest, _three(np.divide(weight, total, out=total)), dst=rest)
    strength, fine = options.strength, options.fine
    cv2.addWeighted(change, strength * fine, rest, strength * (1 - fine), 0, dst=change)
    cv2.add(change, image, dst=change)
    return np.clip(change, 0, 1, out=change)


def _crisp(
    blended: HostArray, image: HostArray, weight: HostArray, options: WarpedOptions
) -> HostArray:
    """``blended`` with the detail of ``image`` in strength, where the history was used."""
    if options.detail == 1:
        return blended
    extra = detail_gain(blended, image, limit=options.detail)
    extra -= 1
    extra *= weight
    band = fine_band(blended)
    cv2.multiply(band, _three(extra), dst=band)
    cv2.add(band, blended, dst=band)
    return np.clip(band, 0, 1, out=band)


def _three(plane: HostArray) -> HostArray:
    return np.asarray(cv2.merge([plane, plane, plane]), np.float32)


STAGE = Warped
