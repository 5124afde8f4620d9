"""Options of ``encode/pyav``: typed and listed, and refused where the codec has no such thing."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field, model_validator

from vidstyle.core import StageOptions
from vidstyle.stages.encode.codecs import CODECS, CodecName, PixelFormat, Preset

Keep: TypeAlias = Literal["copy", "drop"]


class EncodeOptions(StageOptions):
    """What is written, and what is kept of the original file."""

    codec: CodecName = Field("libx264", description="encoder of the video")
    crf: int | None = Field(
        None, ge=0, le=63, description="quality, lower is better; the codec's own default if unset"
    )
    preset: Preset | None = Field(
        None, description="speed: a name for libx264 and libx265, a number for libsvtav1 and vp9"
    )
    pixel_format: PixelFormat = Field(
        "auto", description="samples; auto keeps 10 bits where the codec can, RGB for ffv1"
    )
    alpha: Literal["auto", "keep", "drop"] = Field(
        "auto", description="auto keeps opacity where the codec can, else shows it on black"
    )
    audio: Keep = Field("copy", description="copied, or transcoded where the container must")
    subtitles: Keep = Field("copy", description="copied, or converted where they are text")
    metadata: Keep = Field("copy", description="titles, languages and chapters")

    @model_validator(mode="after")
    def _fit_the_codec(self) -> EncodeOptions:
        codec = CODECS[self.codec]
        codec.check_crf(self.crf)
        codec.check_preset(self.preset)
        codec.check_pixel_format(self.pixel_format)
        if self.alpha == "keep":
            codec.check_alpha(self.pixel_format)
        return self
