"""The options of ``encode/pyav``, what they resolve to for a clip, and encoders opened by that."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import av
from av.codec.context import Flags, ThreadType
from av.video.codeccontext import VideoCodecContext
from pydantic import Field, model_validator

from vidstyle.core import Clip, Color, StageOptions, file_option
from vidstyle.core.errors import PipelineError
from vidstyle.media.color import MATRIX_TO_TAG, RANGE_TO_TAG, guess_matrix
from vidstyle.media.from_rgb import LAYOUTS
from vidstyle.stages.encode.codecs import CODECS, CodecName, PixelFormat, Preset, VideoCodec
from vidstyle.stages.encode.priority import usual_priority

Keep: TypeAlias = Literal["copy", "drop"]

# Frame rate that the encoder is given where the clip's varies; times do not depend on it.
_NOMINAL_RATE: Final = Fraction(25)


class EncodeOptions(StageOptions):
    """What is written, and what is kept of the original file."""

    codec: CodecName = Field("libx264", description="Video codec.")
    crf: int | None = Field(
        None,
        ge=0,
        le=63,
        description="Quality: lower is better and larger. If not set, the codec's own default.",
    )
    preset: Preset | None = Field(
        None,
        description="Speed of the encoder: a name for libx264 and libx265, a number for"
        " libsvtav1 and libvpx-vp9.",
    )
    pixel_format: PixelFormat = Field(
        "auto",
        description="Chroma sampling and bit depth. auto keeps 10 bits where the codec can;"
        " for ffv1 it is RGB.",
    )
    alpha: Literal["auto", "keep", "drop"] = Field(
        "auto",
        description="Transparency. auto keeps it where the codec can, else shows the clip on"
        " black.",
    )
    audio: Keep = file_option(
        "copy", description="Sound. It is transcoded only if the output format requires it."
    )
    subtitles: Keep = file_option(
        "copy", description="Subtitles. Text is converted if the output format requires it."
    )
    metadata: Keep = file_option("copy", description="Titles, languages and chapters.")

    @model_validator(mode="after")
    def _fit_the_codec(self) -> EncodeOptions:
        codec = CODECS[self.codec]
        codec.check_crf(self.crf)
        codec.check_preset(self.preset)
        codec.check_pixel_format(self.pixel_format)
        if self.alpha == "keep":
            codec.check_alpha(self.pixel_format)
        return self


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """All that an encoder's output depends on, resolved for a clip."""

    codec: VideoCodec
    pixel_format: str
    width: int
    height: int
    """Of the coded frame: the clip's, or one more where the codec needs even sides."""
    color: Color
    sample_aspect: Fraction
    rate: Fraction
    threads: int
    options: dict[str, str]
    live: bool = False
    """Whether each frame leaves the encoder before the next one enters it."""

    @property
    def alpha(self) -> bool:
        """Whether opacity is stored."""
        return LAYOUTS[self.pixel_format].alpha

    def at_once(self) -> EncoderSettings:
        """The same for who waits for each frame."""
        return replace(self, options=self.codec.live_options(self.options), live=True)


def resolve(options: EncodeOptions, clip: Clip, threads: int) -> EncoderSettings:
    """Resolve every ``auto`` of the options for a clip."""
    asked = CODECS[options.codec]
    alpha = clip.alpha and options.alpha != "drop"
    pixel_format = asked.pixel_format(options.pixel_format, clip, alpha=alpha)
    codec = CODECS["ffv1"] if asked.name == "gif" else asked
    layout = LAYOUTS[pixel_format]
    across, down = layout.chroma if codec.whole_chroma else (1, 1)
    threads = threads if layout.bits <= codec.threaded_bits else 1
    color = coded_color(clip, rgb=layout.rgb)
    return EncoderSettings(
        codec=codec,
        pixel_format=pixel_format,
        width=-(-clip.width // across) * across,
        height=-(-clip.height // down) * down,
        color=color,
        sample_aspect=clip.sample_aspect,
        rate=_nominal_rate(clip, codec),
        threads=threads,
        options=codec.options(options.crf, options.preset, threads, pixel_format, color),
    )


def new_encoder(settings: EncoderSettings) -> VideoCodecContext:
    """Open an encoder on a clock of frame numbers: one tick a frame.

    Raises PipelineError where the codec refuses, such as for a frame that is too small.
    """
    context = av.CodecContext.create(settings.codec.name, "w")
    assert isinstance(context, VideoCodecContext)
    configure(context, settings)
    try:
        with usual_priority():
            context.open()
    except av.error.FFmpegError as error:
        raise PipelineError(
            f"{settings.codec.name} cannot encode {settings.width}x{settings.height} "
            f"{settings.pixel_format} ({error.strerror}); choose another codec or pixel_format"
        ) from error
    return context


def configure(context: VideoCodecContext, settings: EncoderSettings) -> None:
    """Set an unopened encoder up; equal settings give equal headers."""
    for name, value in settings.codec.environment.items():
        os.environ.setdefault(name, value)
    context.width, context.height = settings.width, settings.height
    context.pix_fmt = settings.pixel_format
    context.time_base, context.framerate = 1 / settings.rate, settings.rate
    context.sample_aspect_ratio = settings.sample_aspect
    context.thread_count = settings.threads
    if settings.live:
        # Frames on threads of their own come out later, one for each thread.
        context.thread_type = ThreadType.SLICE
    context.flags |= Flags.global_header | Flags.closed_gop
    context.colorspace = MATRIX_TO_TAG[settings.color.matrix]
    context.color_range = RANGE_TO_TAG[settings.color.range]
    context.color_primaries = settings.color.primaries
    context.color_trc = settings.color.transfer
    context.options = dict(settings.options)


def coded_color(clip: Clip, *, rgb: bool) -> Color:
    """The clip's color with a matrix and range that the pixel format can have."""
    color = replace(clip.color, tagged=True)
    if rgb:
        return replace(color, matrix="rgb", range="full")
    if color.matrix == "rgb":
        return replace(color, matrix=guess_matrix(clip.height), range="limited")
    return color


def _nominal_rate(clip: Clip, codec: VideoCodec) -> Fraction:
    # Encoders keep rates in 32 bits; a nominal rate needs no more than this.
    rate = (clip.frame_rate or _NOMINAL_RATE).limit_denominator(1001)
    rate = max(rate, Fraction(1, 1001))
    return rate if codec.highest_rate is None else min(rate, Fraction(codec.highest_rate))
