"""Options of the recurrent blend, and the weights that they stand for in one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vidstyle.core import StageOptions, keyframed
from vidstyle.imaging.warp import Kernel

# Largest weight of the history: a longer memory takes more of the stylization than of the flicker.
_MOST = 0.93
# Strength up to which it is the weight itself; the rest of its range leads to _MOST.
_KNEE = 0.9
# How much more weight the history gets where nothing moves, of what is left to 1.
_REST = 0.7


class WarpedOptions(StageOptions):
    """The defaults keep about nine tenths of the sharpness that the frames have on their own."""

    strength: float = keyframed(
        0.85,
        ge=0,
        le=1,
        description="Weight of the previous output. Higher flickers less and follows the"
        " stylized frames less; 0 leaves them unchanged.",
    )
    smoothing: float = keyframed(
        0.0,
        ge=0,
        le=1,
        description="Reduces the remaining flicker at the cost of sharpness. 0 keeps the"
        " sharpness; 1 is soft.",
    )
    fine: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Weight of the previous output for fine detail that moves, as a fraction"
        " of strength. Lower is sharper; higher flickers less.",
    )
    look_ahead: float = Field(
        0.4,
        ge=0,
        le=0.45,
        description="Weight of the next stylized frame, which makes a frame consistent with"
        " both neighbors. 0 turns it off.",
    )
    anchors: tuple[Annotated[int, Field(ge=2, le=16)], ...] = Field(
        (),
        description="How many frames back to look for content that the previous frame hides,"
        " such as [2, 4, 8].",
    )
    detail: float = Field(
        1.6,
        ge=1,
        le=4,
        description="Detail that blending blurs is amplified by at most this factor. 1 turns"
        " it off.",
    )
    strokes: float = Field(
        1.1,
        ge=1,
        le=2,
        description="Strokes that blending fades are amplified by at most this factor per"
        " frame. 1 turns it off.",
    )
    tolerance: float = Field(
        0.1,
        gt=0,
        le=2,
        description="Where the source differs from the warped previous source by more than"
        " this, the pixel takes the new frame only.",
    )
    tolerance_hidden: float = Field(
        0.02,
        ge=0,
        le=2,
        description="The same for pixels that the flow reports as hidden in the previous"
        " frame. 0: they always take the new frame.",
    )
    drift: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Over a wide area the previous output changes a frame by at most this"
        " much; by more with smoothing.",
    )
    kernel: Kernel = Field(
        "cubic",
        description="Interpolation of the previous output. lanczos is slow; bilinear blurs.",
    )


@dataclass(frozen=True, slots=True)
class BlendWeights:
    """The weights, gains and tolerances of one frame."""

    history: float
    """Weight of the history, where its confidence is 1."""
    history_at_rest: float
    """The same where nothing moves."""
    fine: float
    """Part of the weight that moving fine detail gets."""
    ahead: float
    """Weight of the next stylized frame."""
    detail_gain: float
    """Most that fine detail is amplified."""
    stroke_gain: float
    """The same of strokes."""
    softness: float
    """0 samples the history with the kernel of the options, 1 bilinearly."""
    tolerance: float
    tolerance_hidden: float
    drift: float
    pixel: float
    """Length of a pixel of the source in those of the frames, which may have been reduced."""


def resolve_weights(options: WarpedOptions, reduction: float = 1) -> BlendWeights:
    """Give the weights that the options stand for; smoothing changes all but the first evenly.

    Args:
        options: Of one frame.
        reduction: Of the frames, as ``Clip.reduction``.

    Returns:
        The weights. Where frames were reduced, what is fine in them is coarse in the source, and
        what is fine in that is not here.
    """
    strength, smoothing = options.strength, options.smoothing
    sharp = 1 - smoothing
    weight = min(strength, _KNEE + (strength - _KNEE) * (_MOST - _KNEE) / (1 - _KNEE))
    looser = 10 ** (1.5 * smoothing)
    return BlendWeights(
        history=weight,
        history_at_rest=min(weight * (1 + _REST * sharp * (1 - weight)), _MOST),
        fine=options.fine + (1 - options.fine) * (1 - sharp / reduction**2),
        ahead=options.look_ahead * (min(1.0, 2 * strength) + 0.8 * smoothing),
        detail_gain=1 + (options.detail - 1) * sharp,
        stroke_gain=1 + (options.strokes - 1) * sharp,
        softness=smoothing,
        tolerance=options.tolerance * looser,
        tolerance_hidden=options.tolerance_hidden * looser * (1 + 4 * smoothing),
        drift=options.drift * looser,
        pixel=1 / reduction,
    )
