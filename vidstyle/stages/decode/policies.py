"""What is done with transparency, HDR, interlacing and rotation: the options, applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from vidstyle.core import Clip, Color, Note, StageOptions
from vidstyle.core.errors import InputError
from vidstyle.media.color import MATRIX_TO_TAG, PQ, is_hdr
from vidstyle.stages.decode.limits import (
    HIGHEST_RATE,
    LARGEST_FRAME,
    MOST_FRAMES,
    MOST_HOURS,
    check_count,
    check_length,
    check_rate,
)
from vidstyle.stages.decode.orientation import Orientation
from vidstyle.stages.decode.probe import Found


class DecodeOptions(StageOptions):
    """What to do with what not every video has."""

    hdr: Literal["refuse", "tonemap", "passthrough"] = Field(
        "refuse", description="PQ and HLG: refuse, map to BT.709, or paint the values as coded."
    )
    hdr_peak: float = Field(
        1000, ge=203, le=10000, description="Brightest light that tonemap expects, in cd/m²."
    )
    alpha: Literal["auto", "keep", "drop"] = Field(
        "auto", description="Transparency: kept where the first frames use it, always, or never."
    )
    deinterlace: Literal["auto", "off", "on"] = Field(
        "auto", description="Rebuild the frames flagged as interlaced, none, or all."
    )
    size_change: Literal["scale", "refuse"] = Field(
        "scale", description="Where the size changes midway: scale to the first, or stop."
    )
    rotation: Literal["apply", "ignore"] = Field(
        "apply", description="Whether images are turned as the file says."
    )
    hardware: Literal["none", "auto"] = Field(
        "none",
        description="auto: a GPU decodes where it gives the same frames, else the processor.",
    )
    max_pixels: int = Field(
        LARGEST_FRAME, ge=1, description="Frames of more pixels than this are refused."
    )
    max_frames: int = Field(
        MOST_FRAMES, ge=1, description="Clips of more frames than this are refused."
    )
    max_hours: float = Field(
        MOST_HOURS, gt=0, description="Clips that last longer than this are refused."
    )
    max_frame_rate: float = Field(
        HIGHEST_RATE, gt=0, description="Clips of more frames a second are refused."
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """How one file is read."""

    clip: Clip
    """As its frames come out."""
    orientation: Orientation
    alpha: bool
    """Whether frames get the layer."""
    hdr_peak: float | None
    """Brightest light for the tone map, or None where there is none."""


def decide(found: Found, options: DecodeOptions, path: Path) -> Decision:
    """Apply the options to what was found.

    Raises InputError for HDR that is to be refused, and for a clip beyond the limits.
    """
    _check_promises(found, options, path)
    hdr = is_hdr(found.color)
    if hdr and options.hdr == "refuse":
        kind = "PQ" if found.color.transfer == PQ else "HLG"
        raise InputError(
            f"{path}: HDR video ({kind}); set decode's option hdr to tonemap for ordinary "
            "colors, or to passthrough to paint the values as they are"
        )
    if options.rotation == "ignore":
        found = replace(found, orientation=Orientation())
    tone_mapped = hdr and options.hdr == "tonemap"
    alpha = options.alpha == "keep" and found.alpha != "none"
    alpha = alpha or (options.alpha == "auto" and found.alpha == "used")
    clip = replace(
        found.clip(),
        alpha=alpha,
        color=_TONE_MAPPED if tone_mapped else found.color,
        notes=(*found.notes, *_notes(found, options, tone_mapped)),
    )
    peak = options.hdr_peak if tone_mapped else None
    return Decision(clip, found.orientation, alpha, peak)


def _check_promises(found: Found, options: DecodeOptions, path: Path) -> None:
    """Hold what the header says of rate and length against the limits."""
    check_rate(path, float(found.frame_rate or 0), options.max_frame_rate)
    check_count(path, found.frame_count or 0, options.max_frames)
    if found.end_seconds is not None:
        seconds = found.end_seconds - found.start * found.time_base
        check_length(path, float(seconds), options.max_hours)


_TONE_MAPPED = Color("bt709", "limited", MATRIX_TO_TAG["bt709"], MATRIX_TO_TAG["bt709"])


def _notes(found: Found, options: DecodeOptions, tone_mapped: bool) -> Iterator[Note]:
    if tone_mapped:
        text = f"HDR light of up to {options.hdr_peak:.0f} cd/m² is mapped to BT.709"
        yield Note("tone-mapped", text)
    elif is_hdr(found.color):
        yield Note("hdr", "HDR values are painted as coded, not as they look")
    if options.alpha == "drop" and found.alpha == "used":
        yield Note("alpha-dropped", "the video's transparency is dropped")
