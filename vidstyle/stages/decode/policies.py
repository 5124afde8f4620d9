"""The options of ``decode/pyav``, applied: transparency, HDR, interlacing, rotation, limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

from pydantic import Field

from vidstyle.core import Clip, Color, Note, StageOptions
from vidstyle.core.errors import InputError
from vidstyle.media.color import MATRIX_TO_TAG, PQ, is_hdr
from vidstyle.media.container import VideoInput
from vidstyle.stages.decode.file_facts import FileFacts
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
from vidstyle.stages.decode.thinning import FrameRate, thin_clip, thin_option


class DecodeOptions(StageOptions):
    """How a video is read that has more than opaque, progressive, upright frames."""

    hdr: Literal["refuse", "tonemap", "passthrough"] = Field(
        "refuse",
        description="HDR clips (PQ and HLG): refuse them, tonemap to BT.709, or stylize the"
        " coded values (passthrough).",
    )
    hdr_peak: float = Field(
        1000, ge=203, le=10000, description="Brightest light of an HDR clip for tonemap, in cd/m²."
    )
    alpha: Literal["auto", "keep", "drop"] = Field(
        "auto", description="Transparency. auto keeps it if the first frames use it."
    )
    deinterlace: Literal["auto", "off", "on"] = Field(
        "auto",
        description="auto deinterlaces the frames that are flagged as interlaced; on, all"
        " frames; off, none.",
    )
    size_change: Literal["scale", "refuse"] = Field(
        "scale",
        description="If the frame size changes within the clip: scale to the first size, or"
        " refuse.",
    )
    rotation: Literal["apply", "ignore"] = Field(
        "apply", description="Apply the rotation that the file asks for, or ignore it."
    )
    hardware: Literal["none", "auto"] = Field(
        "none",
        description="auto decodes on a GPU if that gives the same frames, else on the processor.",
    )
    thin_to: FrameRate | None = thin_option()
    max_pixels: int = Field(
        LARGEST_FRAME, ge=1, description="Refuse clips with more pixels per frame."
    )
    max_frames: int = Field(MOST_FRAMES, ge=1, description="Refuse clips with more frames.")
    max_hours: float = Field(MOST_HOURS, gt=0, description="Refuse longer clips.")
    max_frame_rate: float = Field(
        HIGHEST_RATE, gt=0, description="Refuse clips with more frames per second."
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


def decide(facts: FileFacts, options: DecodeOptions, path: VideoInput) -> Decision:
    """Apply the options to the facts of a file.

    Raises InputError for HDR that the options refuse, and for a clip beyond the limits.
    """
    _check_header(facts, options, path)
    hdr = is_hdr(facts.color)
    if hdr and options.hdr == "refuse":
        kind = "PQ" if facts.color.transfer == PQ else "HLG"
        raise InputError(
            f"{path}: HDR video ({kind}); --set decode.hdr=tonemap gives ordinary colors,"
            " --set decode.hdr=passthrough stylizes the values as they are"
        )
    if options.rotation == "ignore":
        facts = replace(facts, orientation=Orientation())
    tone_mapped = hdr and options.hdr == "tonemap"
    alpha = options.alpha == "keep" and facts.alpha != "none"
    alpha = alpha or (options.alpha == "auto" and facts.alpha == "used")
    clip = replace(
        facts.clip(),
        alpha=alpha,
        color=_TONE_MAPPED if tone_mapped else facts.color,
        notes=(*facts.notes, *_notes(facts, options, tone_mapped)),
    )
    if options.thin_to is not None:
        clip = thin_clip(clip, Fraction(options.thin_to))
    peak = options.hdr_peak if tone_mapped else None
    return Decision(clip, facts.orientation, alpha, peak)


def _check_header(facts: FileFacts, options: DecodeOptions, path: VideoInput) -> None:
    """Check what the header says of rate and length against the limits."""
    check_rate(path, float(facts.frame_rate or 0), options.max_frame_rate)
    check_count(path, facts.frame_count or 0, options.max_frames)
    if facts.end_seconds is not None:
        seconds = facts.end_seconds - facts.start * facts.time_base
        check_length(path, float(seconds), options.max_hours)


_TONE_MAPPED: Final = Color("bt709", "limited", MATRIX_TO_TAG["bt709"], MATRIX_TO_TAG["bt709"])


def _notes(facts: FileFacts, options: DecodeOptions, tone_mapped: bool) -> Iterator[Note]:
    if tone_mapped:
        text = f"HDR light of up to {options.hdr_peak:.0f} cd/m² is mapped to BT.709"
        yield Note("tone-mapped", text)
    elif is_hdr(facts.color):
        yield Note("hdr", "HDR values are stylized as coded, not as they look")
    if options.alpha == "drop" and facts.alpha == "used":
        yield Note("alpha-dropped", "the video's transparency is dropped")
