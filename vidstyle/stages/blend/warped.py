"""Recurrent temporal blend: carry the painting along with what it was painted on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, cast

import cv2
import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    Frame,
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
from vidstyle.imaging.half_size import doubled, halved, halved_places
from vidstyle.imaging.sharpen import detail_energy, sharpened
from vidstyle.imaging.smooth import smooth
from vidstyle.imaging.strokes import excess_over, faded_strokes
from vidstyle.imaging.warp import Kernel, inside, places, sample
from vidstyle.stages.blend.anchors import Anchors, Memory, longer_paths, remembered

_CRISP = 0.9
# Strength up to which sharpness is kept; beyond it is what the last flicker is bought with.
_SOLD = 0.25
# Part of what is beyond it over which sharpness goes.
_STILL = 0.25
# Pixels a frame below which a place stands still, so that averaging cannot blur it.
_CREEPING = 1.0
# Pixels a frame up to which flow may be noise: it counts only where it explains the source
_EXPLAINED = 0.9
# better than no motion does, by this factor.
_STILL_SIGMA = 2.0
# Pixels of the halved picture that a place needs around it to stand still.
_REST = 0.7
# How much more of the share a place at rest gets, of what is left to the whole, and
_MOST_AT_REST = 0.93
# the most that comes to: a longer memory takes more from the painting than it calms.
_NOISE = 0.5
# Of the detail that is put back, what a place at rest does without: much of it is noise.
_WANDER = 2.0
# How much more a place at rest may drift, as a factor beside 1: there a painting that changes can
# only be flicker, and what is carried on is forgotten soon.
_LEAST = 1e-3
# Of the local mean of the trust, so that nothing is divided by nothing.


class WarpedOptions(StageOptions):
    """The defaults keep about nine tenths of the sharpness that the frames have on their own."""

    strength: float = keyframed(
        0.85,
        ge=0,
        le=1,
        description="Share of the previous output where all agrees; 0 leaves frames as they are,"
        " beyond 0.9 the picture grows softer.",
    )
    fine: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Part of the strength that fine detail gets where it moves: less is crisper,"
        " more is calmer.",
    )
    look_ahead: float = Field(
        0.4,
        ge=0,
        le=0.45,
        description="Share of the next painting, where there is flow in both directions.",
    )
    anchors: tuple[Annotated[int, Field(ge=2, le=16)], ...] = Field(
        (),
        description="How many frames back to look for what the previous frame hid, such as"
        " [2, 4, 8].",
    )
    detail: float = Field(
        1.6, ge=1, le=4, description="Most that detail lost by blending is amplified; 1 is off."
    )
    strokes: float = Field(
        1.1,
        ge=1,
        le=2,
        description="Most that strokes faded by blending are amplified in a frame; 1 is off.",
    )
    tolerance: float = Field(
        0.1,
        gt=0,
        le=2,
        description="Difference in the source above which pixels are painted anew.",
    )
    tolerance_hidden: float = Field(
        0.02,
        ge=0,
        le=2,
        description="The same where flow says that something is hidden; 0: always.",
    )
    drift: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Most that the history may change over a wide area; looser beyond strength"
        " 0.9.",
    )
    kernel: Kernel = Field(
        "cubic", description="How the previous output is sampled; lanczos is slow, bilinear blurs."
    )


@dataclass(frozen=True, slots=True)
class _Dials:
    """What the options of one frame come to."""

    share: float
    """Of the history, where it can be trusted."""
    share_at_rest: float
    """The same where nothing moves."""
    fine: float
    """Part of the share that moving fine detail gets."""
    ahead: float
    """Share of the next painting."""
    gain: float
    """Most that fine detail is amplified."""
    stroke_gain: float
    """The same of strokes."""
    softness: float
    """0 samples the history with the kernel of the options, 1 bilinearly."""
    tolerance: float
    tolerance_hidden: float
    drift: float


def _dials(options: WarpedOptions) -> _Dials:
    """Up to ``_CRISP`` the share alone grows. Beyond it first sharpness is sold for calm, with a
    smaller share, which keeps the picture like the painting; then the share grows again."""
    beyond = max(0.0, (options.strength - _CRISP) / (1 - _CRISP))
    soft = min(1.0, beyond / _SOLD)
    late = max(0.0, (beyond - _SOLD) / (1 - _SOLD))
    share = min(options.strength, _CRISP) - 0.1 * soft + 0.12 * late
    at_rest = share * (1 + _REST * (1 - soft) * (1 - share))
    looser = 10 ** (1.5 * max(soft / 2, beyond))
    return _Dials(
        share=share,
        share_at_rest=min(at_rest, _MOST_AT_REST),
        fine=options.fine + (1 - options.fine) * soft,
        ahead=options.look_ahead * (min(1.0, 2 * options.strength) + 0.8 * beyond),
        gain=1 + (options.detail - 1) * (1 - soft),
        stroke_gain=1 + (options.strokes - 1) * (1 - soft),
        softness=soft,
        tolerance=options.tolerance * looser,
        tolerance_hidden=options.tolerance_hidden * looser * (1 + 4 * soft),
        drift=options.drift * looser,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _History:
    """What was painted before, on this frame's grid."""

    picture: HostArray
    """(H, W, 3)."""
    source: HostArray
    """What it was painted on, at half size."""
    trust: HostArray
    """How far each pixel can be trusted, (H, W) in [0, 1]."""
    weight: HostArray
    """The same at half size."""
    still: HostArray
    """1 where nothing moves, at half size."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    """What the next painting changes."""

    coarse: HostArray | None
    """(h, w, 3) at half size."""
    fine: HostArray | None
    """(H, W, 3) without the coarse; only where the result may be soft."""


class Warped(BaseStage[WarpedOptions]):
    """Writes ``image``: the new painting mixed with the previous output, moved along the flow.

    ``image + strength · trust · (warped - image)``, the recurrent blend of Ruder et al. 2016 and
    Chen et al. 2017 without their networks. Beside the painting its source is carried along and
    mixed in the same shares: trust is visibility times the agreement of that history with the
    source, so that what once went wrong, or what light has changed since, is found in every later
    frame and not only in the first. Where flow says that something is hidden, the source decides
    alone, and pixel for pixel.

    Coarse and fine are mixed in different shares: flicker lies in the coarse, sharpness in the
    fine. Where nothing moves averaging cannot blur, and both get the whole share. What mixing
    takes from fine detail is put back within the recurrence, up to the strength that the new
    painting has nearby. Over wide areas the history changes the new painting by at most
    ``drift``. With ``look_ahead`` the next painting is mixed in as well, and not carried on.

    The first frame of a shot passes unchanged, and so does every frame at strength 0. Results are
    in [0, 1].
    """

    Options = WarpedOptions

    def __init__(self, options: WarpedOptions) -> None:
        super().__init__(options)
        ahead = Reach(ahead=1) if options.look_ahead else NOW
        reads = {"image": ahead, "source": Reach(behind=1, ahead=ahead.ahead)}
        reads |= {"flow": NOW, "visible": NOW}
        if options.look_ahead:
            reads["flow_from_previous"] = replace(ahead, optional=True)
        self.needs = Needs(reads=reads, writes=("image",), scope="shot")

    def step(self, window: Window[WarpedOptions], state: State) -> tuple[Layers, State]:
        image, source = window.now.host("image"), halved(window.now.host("source"))
        if state is None or window.options.strength == 0:
            return {"image": image}, self._next_state({}, image, source)
        dials = _dials(window.options)
        memory = dict(cast("Memory", state))
        if self._far > 1:
            memory |= longer_paths(memory, window.now.host("flow"), far=self._far)
        history = _carried(window, memory, source, dials)
        used = history.weight * (dials.share + (dials.share_at_rest - dials.share) * history.still)
        half = halved(image)
        ahead = _look_ahead(window, half, source, 1 - used, dials)
        mixed = _mixed(image, half, history, ahead.coarse, dials)
        if ahead.fine is not None:
            mixed += ahead.fine
        np.clip(mixed, 0, 1, out=mixed)
        if dials.gain > 1:
            blurred = history.trust * doubled(1 - _NOISE * history.still, *image.shape[:2])
            mixed = sharpened(mixed, detail_energy(image), blurred, limit=dials.gain)
        source += _three(used) * (history.source - source)
        return {"image": mixed}, self._next_state(memory, mixed, source)

    @property
    def _far(self) -> int:
        """How many frames back the memory goes."""
        return max(self.options.anchors, default=1)

    def _next_state(self, memory: Memory, blended: HostArray, source: HostArray) -> State:
        kept = dict(remembered(memory, blended, source, far=self._far))
        paths = {f"path_{distance}" for distance in range(1, self._far)}
        return kept | {name: memory[name] for name in paths & memory.keys()}


def _carried(
    window: Window[WarpedOptions], before: Memory, source: HostArray, dials: _Dials
) -> _History:
    """The previous output on this frame's grid, and how far each pixel of it can be trusted."""
    options, now = window.options, window.now
    u, v = _planes(now.host("flow"))
    half = halved(u), halved(v)
    length = np.asarray(cv2.magnitude(*half), np.float32)
    unmoved = before["source_1"]
    carried = sample(unmoved, *halved_places(*half, u.shape))
    still = _unexplained(source, carried, unmoved, length)
    if still.any():
        moves = doubled(1 - still, *u.shape)
        cv2.multiply(u, moves, dst=u)
        cv2.multiply(v, moves, dst=v)
        carried += _three(still) * (unmoved - carried)
    columns, rows = places(u, v)
    picture = sample(before["blended_1"], columns, rows, kernel=options.kernel)
    if dials.softness:
        soft = sample(before["blended_1"], columns, rows)
        cv2.addWeighted(picture, 1 - dials.softness, soft, dials.softness, 0, dst=picture)
    trust = _trusted(source, carried, now.host("visible"), dials.tolerance)
    if dials.tolerance_hidden:
        # Flow is often wrong where it says hidden: it has small steps at the edges of its
        # patches, which count as motion boundaries, and both directions disagree in motion that
        # is hard to follow. There the pictures decide; pixel for pixel, since what a slow object
        # uncovers is thin.
        hidden = inside(columns, rows)
        hidden -= now.host("visible")
        np.maximum(hidden, 0, out=hidden)
        luma = sample(_luma(window.behind[0]), columns, rows)
        thin = smooth(np.square(cv2.subtract(luma, _luma(now), dst=luma)), 0.6)
        wide = doubled(pixel_distance(source, carried), *hidden.shape)
        np.maximum(thin, wide, out=thin)
        trust += hidden * agreement(thin, dials.tolerance_hidden)
    if options.anchors:
        tolerance = dials.tolerance_hidden or dials.tolerance
        anchors = Anchors(before, options.anchors, tolerance=tolerance)
        anchors.fill(picture, carried, trust, source)
    return _History(picture, carried, trust, halved(trust), np.maximum(still, _at_rest(length)))


def _trusted(
    source: HostArray, carried: HostArray, visible: HostArray, tolerance: float
) -> HostArray:
    """Visibility times the agreement of the two halved sources, (H, W)."""
    near = agreement(photometric_distance(source, carried), tolerance)
    near = doubled(near, *visible.shape)
    return np.asarray(cv2.multiply(near, visible, dst=near), np.float32)


def _look_ahead(
    window: Window[WarpedOptions],
    image: HostArray,
    source: HostArray,
    left: HostArray,
    dials: _Dials,
) -> _Ahead:
    """What the next painting changes, where the history has ``left`` room for it.

    ``image`` and ``source`` are this frame's, at half size.
    Nothing of it is carried on as such, so that the agreement of the sources is enough.
    """
    following = window.ahead[0] if window.ahead else None
    if not dials.ahead or following is None or "flow_from_previous" not in following.layers:
        return _Ahead(None, None)
    u, v = _planes(following.host("flow_from_previous"))
    half = halved_places(halved(u), halved(v), u.shape)
    there = sample(halved(following.host("source")), *half)
    weight = agreement(photometric_distance(source, there), dials.tolerance)
    weight *= left * np.float32(dials.ahead)
    weight *= inside(*half)
    coarse = sample(halved(following.host("image")), *half)
    coarse -= image
    coarse *= weight[..., np.newaxis]
    if not dials.softness:
        return _Ahead(coarse, None)
    now = window.now.host("image")
    fine = sample(following.host("image"), *places(u, v)) - now
    fine -= doubled(halved(fine), *now.shape[:2])
    fine *= doubled(weight * np.float32(dials.softness), *now.shape[:2])[..., np.newaxis]
    return _Ahead(coarse, fine)


def _mixed(
    image: HostArray, half: HostArray, history: _History, ahead: HostArray | None, dials: _Dials
) -> HostArray:
    """``image`` moved towards the history: by the share, and less in fine detail that moves.

    ``half`` is the image at half size.
    All means are weighted by trust: what is hidden must not leak into what is visible.
    """
    height, width = image.shape[:2]
    trust = _three(history.trust)
    change = np.subtract(history.picture, image, out=history.picture)
    cv2.multiply(change, trust, dst=change)
    still = history.still
    fine = dials.fine * dials.share * (1 - still) + dials.share_at_rest * still
    more = (1 - dials.fine) * dials.share * (1 - still)
    rest = _rest(half, halved(change), fine, more, history, ahead, dials)
    cv2.multiply(change, _three(doubled(fine, height, width)), dst=change)
    cv2.multiply(trust, doubled(rest, height, width), dst=trust)
    cv2.add(change, trust, dst=change)
    if ahead is not None:
        cv2.add(change, doubled(ahead, height, width), dst=change)
    return np.asarray(cv2.add(change, image, dst=change), np.float32)


def _rest(
    half: HostArray,
    change: HostArray,
    fine: HostArray,
    more: HostArray,
    history: _History,
    ahead: HostArray | None,
    dials: _Dials,
) -> HostArray:
    """What the coarse gets on top of what fine detail gets, where all is trusted; at half size.

    ``change`` is the trusted change, ``fine`` the share of it that is in the picture already, and
    ``more`` what the coarse gets.
    """
    weight, still = history.weight, history.still
    safe = np.maximum(weight, np.float32(_LEAST))
    rest = np.multiply(change, _three(np.divide(more, safe)))
    excess = excess_over(dials.drift * (1 + _WANDER * still), change, safe)
    if excess is not None:
        whole = np.add(fine, more)
        rest -= excess * whole[..., np.newaxis]
    if dials.stroke_gain > 1:
        mixed = half + _three(fine) * change + _three(weight) * rest
        if ahead is not None:
            mixed += ahead
        rest += _three(still) * faded_strokes(mixed, half, limit=dials.stroke_gain)
    return rest


def _unexplained(
    source: HostArray, carried: HostArray, unmoved: HostArray, length: HostArray
) -> HostArray:
    """1 where the flow is short and no motion at all explains the source as well, at half size.

    Flow on flat, noisy ground is made of noise, and to follow it would move a still painting.
    ``carried`` is the history moved along the flow, ``unmoved`` as it was; (h, w, 3) all three.
    ``length`` (h, w) is that of the flow, in pixels of the frame.
    """
    short = halved(length) < _CREEPING
    if not short.any():
        return np.zeros(source.shape[:2], np.float32)
    lumas = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (source, carried, unmoved))
    luma, along, there = (np.asarray(plane, np.float32) for plane in lumas)
    moved, stood = (
        smooth(halved(np.square(cv2.subtract(luma, plane, dst=plane))), _STILL_SIGMA)
        for plane in (along, there)
    )
    still = short & (moved >= _EXPLAINED * stood)
    return doubled(_middle(still.astype(np.float32)), *source.shape[:2])


def _planes(flow: HostArray) -> tuple[HostArray, HostArray]:
    across, down = cv2.split(flow)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _at_rest(length: HostArray) -> HostArray:
    """1 inside of areas where nothing moves, 0 outside."""
    return _middle((length < _STILL).astype(np.float32))


def _middle(mask: HostArray) -> HostArray:
    """A mask of 0 and 1 without its edges, softened."""
    soft = smooth(mask, _STILL_SIGMA)
    return np.clip(2 * soft - 1, 0, 1, out=soft)


def _luma(frame: Frame) -> HostArray:
    return np.asarray(cv2.cvtColor(frame.host("source"), cv2.COLOR_RGB2GRAY), np.float32)


def _three(plane: HostArray) -> HostArray:
    return np.asarray(cv2.merge([plane, plane, plane]), np.float32)


STAGE = Warped
