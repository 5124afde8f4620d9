"""The dials of the blend in several passes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vidstyle.core import StageOptions, keyframed
from vidstyle.imaging.warp import Kernel


class MultipassOptions(StageOptions):
    """Flicker falls with strength and with passes; detail falls too, and is put back."""

    strength: float = keyframed(
        0.5,
        ge=0,
        le=1,
        description="Share of the neighbor in each pass where all agrees; 0 leaves frames as"
        " they are.",
    )
    passes: int = Field(
        6, ge=1, le=32, description="Every other one goes backwards; even numbers are symmetric."
    )
    span: int = Field(
        64,
        ge=1,
        le=1024,
        description="Frames that are worked on at once; what memory does not hold lies on disk.",
    )
    first: Literal["kept", "blended"] = Field(
        "kept",
        description="Whether the first frame of a shot stays as it was painted, or is calmed by"
        " those that follow it.",
    )
    fine: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Part of the passes' work that fine detail keeps: less is crisper, more is"
        " calmer.",
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
        description="Difference in the source above which pixels are left alone.",
    )
    tolerance_hidden: float = Field(
        0.03,
        ge=0,
        le=2,
        description="The same where flow says that something is hidden; 0: always.",
    )
    clipping: float = Field(
        2.0,
        ge=0,
        le=8,
        description="Standard deviations, of the painting around a pixel, that the neighbor may"
        " differ by there: what keeps trails away; 0 is off.",
    )
    snap: float = Field(
        0.1, ge=0, le=1, description="Motion below so many pixels counts as none and blurs nothing."
    )
    kernel: Kernel = Field(
        "cubic", description="How neighbors are sampled; lanczos is slow, bilinear blurs."
    )
