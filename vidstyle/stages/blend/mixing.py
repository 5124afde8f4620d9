"""The new painting moved towards the history: in different shares for coarse and fine."""

from __future__ import annotations

import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.bands import bands, three_times
from vidstyle.imaging.contrast import faded_strokes, overshoot
from vidstyle.imaging.derived import halved
from vidstyle.stages.blend.ahead import Ahead, Stylized
from vidstyle.stages.blend.dials import Dials
from vidstyle.stages.blend.history import History

_WANDER = 2.0
# How much more a place at rest may drift, as a factor beside 1: there a painting that changes can
# only be flicker, and what is carried on is forgotten soon.
_LEAST = 1e-3
# Of the local mean of the trust, so that nothing is divided by nothing.


def mixed(now: Stylized, history: History, ahead: Ahead, dials: Dials) -> HostArray:
    """The painting moved towards the history: by the share, and less in fine detail that moves.

    What ``ahead`` has is added. All means are weighted by trust: what is hidden must not leak into
    what is visible. The result, in [0, 1], is written over the history's image.
    """
    share = dials.fine * dials.share * (1 - history.still) + dials.share_at_rest * history.still
    change = _trusted_change(now.image, history)
    rest = _rest(now.half, change, share, history, ahead.coarse, dials)
    for band in bands(*history.confidence.shape):
        rows = band.of(history.image)
        rows *= three_times(band.doubled(share))
        coarse = band.doubled(rest)
        coarse *= three_times(band.of(history.confidence))
        rows += coarse
        if ahead.coarse is not None:
            rows += band.doubled(ahead.coarse)
        rows += band.of(now.image)
        if ahead.fine is not None:
            rows += band.of(ahead.fine)
        np.clip(rows, 0, 1, out=rows)
    return history.image


def _trusted_change(image: HostArray, history: History) -> HostArray:
    """What trust leaves of the history's difference to ``image``, over its image; and halved."""
    half = np.empty(history.source.shape, np.float32)
    for band in bands(*history.confidence.shape):
        change = band.of(history.image)
        change -= band.of(image)
        change *= three_times(band.of(history.confidence))
        band.of_half(half)[:] = halved(change)
    return half


def _rest(
    half: HostArray,
    change: HostArray,
    fine: HostArray,
    history: History,
    ahead: HostArray | None,
    dials: Dials,
) -> HostArray:
    """What the coarse gets on top of what fine detail gets, where all is trusted; at half size.

    ``half`` is the painting, ``change`` the trusted change, ``fine`` the share of it that is in
    the image already.
    """
    weight, still = history.weight, history.still
    more = (1 - dials.fine) * dials.share * (1 - still)
    safe = np.maximum(weight, np.float32(_LEAST))
    rest = change * three_times(np.divide(more, safe))
    beyond = overshoot(dials.drift * (1 + _WANDER * still), change, safe)
    if beyond is not None:
        rest -= beyond * three_times(fine + more)
    if dials.stroke_gain > 1:
        coarse = half + three_times(fine) * change + three_times(weight) * rest
        if ahead is not None:
            coarse += ahead
        rest += three_times(still) * faded_strokes(coarse, half, limit=dials.stroke_gain)
    return rest
