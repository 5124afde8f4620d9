"""What the options of a frame come to: shares, gains and tolerances."""

from __future__ import annotations

from dataclasses import dataclass

from vidstyle.stages.blend.warped_options import WarpedOptions

_CRISP = 0.9
# Strength up to which sharpness is kept; beyond it is what the last flicker is bought with.
_SOLD = 0.25
# Part of what is beyond it over which sharpness goes.
_REST = 0.7
# How much more of the share a place at rest gets, of what is left to the whole, and
_MOST_AT_REST = 0.93
# the most that comes to: a longer memory takes more from the painting than it calms.


@dataclass(frozen=True, slots=True)
class Dials:
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


def dials_of(options: WarpedOptions) -> Dials:
    """Up to a strength of 0.9 the share alone grows. Beyond it first sharpness is sold for calm,
    with a smaller share, which keeps the image like the painting; then the share grows again."""
    beyond = max(0.0, (options.strength - _CRISP) / (1 - _CRISP))
    soft = min(1.0, beyond / _SOLD)
    late = max(0.0, (beyond - _SOLD) / (1 - _SOLD))
    share = min(options.strength, _CRISP) - 0.1 * soft + 0.12 * late
    at_rest = share * (1 + _REST * (1 - soft) * (1 - share))
    looser = 10 ** (1.5 * max(soft / 2, beyond))
    return Dials(
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
