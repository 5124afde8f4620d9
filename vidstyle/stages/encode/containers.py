"""The containers: what each holds beside the video, and the muxer options that keep times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

from vidstyle.core.errors import PipelineError
from vidstyle.stages.encode.codecs import CODECS, CodecName


@dataclass(frozen=True, slots=True)
class Container:
    """A file format by its suffix."""

    format: str
    """FFmpeg's name of the muxer."""
    audio: frozenset[str] | None
    """Codecs that are copied; None for all that the muxer takes."""
    audio_codec: str
    """Encoder for the others."""
    subtitles: frozenset[str]
    subtitle_codec: str
    attachments: bool = False
    """Whether files such as fonts can be kept."""
    covers: bool = False
    """Whether cover images can be kept."""
    stores_aspect: bool = True
    """Whether the sample aspect is written for codecs that do not store it themselves."""
    options: Mapping[str, str] = field(default_factory=dict)
    stamp_tag: str = "comment"
    """Where it takes a short text about what the file is made of; empty where it takes none."""

    @property
    def edit_lists(self) -> bool:
        """Whether what lies before 0 is kept and not shown.

        Such a file's length is the sum of the intervals between packets as they are decoded.
        """
        return self.format in ("mp4", "mov")

    def muxer_options(self, time_base: Fraction) -> dict[str, str]:
        """Options of the muxer for a clip with that time base."""
        options = dict(self.options)
        if self.edit_lists:
            # Start offsets of all streams are kept in this unit, by default 1 ms.
            ticks = time_base.denominator
            options["movie_timescale"] = str(ticks * -(-_FINE // ticks))
        return options


_MP4_AUDIO: Final = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac"})
# Numbers of one form or another, as QuickTime has always had them.
_PCM: Final = frozenset(
    f"pcm_{form}"
    for form in (
        *("u8", "s8", "alaw", "mulaw"),
        *(f"{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")),
    )
)
# Ticks a second, at least, in which streams are held against each other.
_FINE: Final = 90_000
_ISO: Final = {"movflags": "+faststart"}

_MP4: Final = Container(
    "mp4",
    _MP4_AUDIO,
    "aac",
    frozenset({"mov_text", "dvd_subtitle"}),
    "mov_text",
    covers=True,
    options=_ISO,
)

CONTAINERS: Final[dict[str, Container]] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container(
        "mov",
        frozenset({"aac", "mp3", "ac3", "eac3", "alac"}) | _PCM,
        "aac",
        frozenset({"mov_text"}),
        "mov_text",
        options=_ISO,
    ),
    ".mkv": Container(
        "matroska",
        None,
        "libopus",
        frozenset({"subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}),
        "subrip",
        attachments=True,
        covers=True,
        # The muxer takes it from the stream, where PyAV 18 cannot set it.
        stores_aspect=False,
        stamp_tag="VIDSTYLE",
    ),
    ".webm": Container(
        "webm",
        frozenset({"opus", "vorbis"}),
        "libopus",
        frozenset({"webvtt"}),
        "webvtt",
        stores_aspect=False,
        stamp_tag="VIDSTYLE",
    ),
    ".gif": Container("gif", frozenset(), "", frozenset(), "", stores_aspect=False, stamp_tag=""),
}


def codec_for(suffix: str) -> CodecName | None:
    """The usual codec of files of a suffix: the one that has it most in front. None for others."""
    able = [name for name, known in CODECS.items() if suffix in known.suffixes]
    return min(able, key=lambda name: CODECS[name].suffixes.index(suffix), default=None)


def container_for(path: Path, codec: CodecName) -> Container:
    """The container that the name asks for. Raises PipelineError where the codec is not for it."""
    suffix = path.suffix.lower()
    fitting = CODECS[codec].suffixes
    if suffix in fitting:
        return CONTAINERS[suffix]
    if suffix not in CONTAINERS:
        given = f"the suffix {path.suffix}" if suffix else "no suffix"
        names = " or ".join(fitting)
        folder = "" if suffix else f", or {path}/ for a folder of images"
        raise PipelineError(f"{path} has {given}: for {codec} name the output {names}{folder}")
    other = codec_for(suffix)
    raise PipelineError(
        f"{codec} cannot be stored in {suffix}: name the output"
        f" {path.with_suffix(fitting[0]).name}, or add --set encode.codec={other}"
    )
