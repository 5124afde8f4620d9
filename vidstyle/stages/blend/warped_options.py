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
        description="Weight of the previous output where all agrees: more flickers less, and"
        " follows the stylized frames less. 0 leaves them as they are.",
    )
    smoothing: float = keyframed(
        0.0,
        ge=0,
        le=1,
        description="Gives up sharpness for less flicker; 0 keeps the sharpness, 1 is soft.",
    )
    fine: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Part of the strength that moving fine detail gets: less is sharper, more"
        " flickers less.",
    )
    look_ahead: float = Field(
        0.4,
        ge=0,
        le=0.45,
        description="Weight of the next stylized frame, where there is flow in both directions.",
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
        description="Difference in the source above which pixels take the new frame only.",
    )
    tolerance_hidden: float = Field(
        0.02,
        ge=0,
        le=2,
        description="The same where the flow says that something is hidden; 0: always.",
    )
    drift: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Most that the history may change over a wide area; more with smoothing.",
    )
    kernel: Kernel = Field(
        "cubic", description="How the previous output is sampled; lanczos is slow, bilinear blurs."
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


def resolve_weights(options: WarpedOptions) -> BlendWeights:
    """Give the weights that the options stand for; smoothing changes all but the first evenly."""
    strength, smoothing = options.strength, options.smoothing
    sharp = 1 - smoothing
    weight = min(strength, _KNEE + (strength - _KNEE) * (_MOST - _KNEE) / (1 - _KNEE))
    looser = 10 ** (1.5 * smoothing)
    return BlendWeights(
        history=weight,
        history_at_rest=min(weight * (1 + _REST * sharp * (1 - weight)), _MOST),
        fine=options.fine + (1 - options.fine) * smoothing,
        ahead=options.look_ahead * (min(1.0, 2 * strength) + 0.8 * smoothing),
        detail_gain=1 + (options.detail - 1) * sharp,
        stroke_gain=1 + (options.strokes - 1) * sharp,
        softness=smoothing,
        tolerance=options.tolerance * looser,
        tolerance_hidden=options.tolerance_hidden * looser * (1 + 4 * smoothing),
        drift=options.drift * looser,
    )
