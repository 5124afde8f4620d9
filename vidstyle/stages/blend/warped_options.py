"""The dials of the recurrent temporal blend."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vidstyle.core import StageOptions, keyframed
from vidstyle.imaging.warp import Kernel


class WarpedOptions(StageOptions):
    """The defaults keep about nine tenths of the sharpness that the frames have on their own."""

    strength: float = keyframed(
        0.85,
        ge=0,
        le=1,
        description="Share of the previous output where all agrees; 0 leaves frames as they are,"
        " beyond 0.9 the image grows softer.",
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
