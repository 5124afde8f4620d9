"""Writes a video file through FFmpeg, with what else the original holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vidstyle.core import (
    NOW,
    Clip,
    ExecutionContext,
    FrameTime,
    Needs,
    Note,
    Original,
    Reach,
    Segment,
    StageOptions,
    Writer,
)
from vidstyle.core.errors import OutputError
from vidstyle.media.from_rgb import LAYOUTS
from vidstyle.stages.encode.codecs import CODECS, VideoCodec
from vidstyle.stages.encode.containers import container_for
from vidstyle.stages.encode.encoder import EncodeOptions, EncoderSettings, new_encoder, resolve
from vidstyle.stages.encode.finished import reopen_video
from vidstyle.stages.encode.gif import write_gif
from vidstyle.stages.encode.joining import Joining
from vidstyle.stages.encode.titles import lost_titles
from vidstyle.stages.encode.writer import ChunkWriter


class EncodePyAV:
    """Writes a video file, with the sound, subtitles and metadata of the source.

    Each chunk has its own encoder with a closed GOP; joining sets the true times.
    """

    Options = EncodeOptions

    def __init__(self, options: EncodeOptions) -> None:
        self._options = options
        self._opened: tuple[Clip, int] | None = None
        self._notes: list[Note] = []

    @property
    def needs(self) -> Needs:
        """The image, and its opacity where it is there."""
        return Needs(reads={"image": NOW, "alpha": Reach(optional=True)})

    @property
    def suffix(self) -> str:
        """The codec's usual container."""
        return CODECS[self._options.codec].suffixes[0]

    @property
    def notes(self) -> Sequence[Note]:
        """What was padded, converted or left out."""
        return tuple(self._notes)

    def check(self, path: Path, clip: Clip) -> None:
        """Raise PipelineError where codec, container and clip do not go together."""
        container_for(path, self._options.codec)
        new_encoder(resolve(self._options, clip, threads=1))

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        """Format, quality, speed and alpha as they are for this clip."""
        options, codec = self._options, CODECS[self._options.codec]
        keeps = clip.alpha and bool(codec.alpha) and options.alpha != "drop"
        resolved = {
            "pixel_format": codec.base_format(options.pixel_format, clip, alpha=keeps),
            "alpha": "keep" if keeps else "drop",
            "crf": codec.default_crf if options.crf is None else options.crf,
            "preset": codec.default_preset if options.preset is None else options.preset,
        }
        return options.model_copy(update=resolved)

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        settings = resolve(self._options, clip, context.threads)
        layout = LAYOUTS[settings.pixel_format]
        across, down = layout.chroma
        samples = (1 + 2 / (across * down)) * (1 if layout.bits == 8 else 2)
        pixels = settings.width * settings.height
        return settings.codec.memory(self._options.preset, samples * pixels)

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._opened = (clip, context.threads)
        settings = resolve(self._options, clip, context.threads)
        self._notes = list(_changes(clip, settings, gif=self._options.codec == "gif"))

    def segment(self, clip: Clip) -> Writer:
        """A writer with an encoder of its own."""
        _, threads = self._clip_and_threads
        return ChunkWriter(clip, resolve(self._options, clip, threads))

    def join(
        self,
        segments: Iterable[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> None:
        """Write ``path`` whole, with the original's other streams, and verify it.

        Raises OutputError where writing fails or the file is not as it should be.
        """
        clip, threads = self._clip_and_threads
        chunks = _check_chunks(segments, times, path)
        settings = resolve(self._options, clip, threads)
        if self._options.codec == "gif":
            stored = replace(clip, alpha=settings.alpha)
            self._notes += write_gif(chunks, times, stored, path, original=original.path)
            if self._options.metadata == "copy":
                self._notes += lost_titles(original.path, "a GIF")
        else:
            joining = Joining(clip, settings, self._options)
            self._notes += joining.write(chunks, times, original, path)

    def reopen(self, path: Path, frames: int) -> Segment | None:
        """The video of a file that was written before; None of a GIF, and where there is alpha."""
        codec = self._options.codec
        # Opacity lies beside the packets in some containers.
        if codec == "gif" or self._options.alpha == "keep":
            return None
        return reopen_video(path, frames, codec)

    def close(self) -> None:
        self._opened = None

    @property
    def _clip_and_threads(self) -> tuple[Clip, int]:
        if self._opened is None:
            raise RuntimeError("encode/pyav is not open")
        return self._opened


def _check_chunks(
    segments: Iterable[Segment], times: Sequence[FrameTime], path: Path
) -> list[Segment]:
    chunks = list(segments)
    if not chunks or not times:
        raise OutputError(f"there is no frame to write to {path}; check --frames")
    if len({chunk.header for chunk in chunks}) > 1:
        raise OutputError(
            f"the chunks of {path} come from different encoders; run again from the start"
        )
    return chunks


def _changes(clip: Clip, settings: EncoderSettings, *, gif: bool) -> Iterator[Note]:
    """What of the clip cannot be kept."""
    if (settings.width, settings.height) != (clip.width, clip.height):
        yield Note(
            "padded",
            f"{clip.width}x{clip.height} is written as {settings.width}x{settings.height} with "
            f"its edge repeated: {settings.codec.name} needs even sides for "
            f"{settings.pixel_format}; pixel_format yuv444p keeps the size",
        )
    if gif and clip.streams:
        kinds = ", ".join(sorted({stream.kind for stream in clip.streams}))
        yield Note("dropped", f"a GIF does not support {kinds}: left out")
    if gif and clip.sample_aspect != 1:
        yield Note("aspect", f"a GIF cannot store the sample aspect {clip.sample_aspect}")
    bits = LAYOUTS[settings.pixel_format].bits
    if bits < clip.bit_depth:
        what = "a GIF" if gif else f"{settings.codec.name} with {settings.pixel_format}"
        # What is written on the way to a GIF may keep more.
        keeps = _keeping_bits(clip.bit_depth, CODECS["gif"] if gif else settings.codec)
        hint = f"; {keeps} keeps {clip.bit_depth}" if keeps else ""
        yield Note("bits", f"{what} stores {bits} of the clip's {clip.bit_depth} bits{hint}")
    if settings.codec.hdr10 is None and (clip.color.mastering or clip.color.light_levels):
        what = "a GIF" if gif else settings.codec.name
        able = ", ".join(codec.name for codec in CODECS.values() if codec.hdr10)
        text = f"{what} stores no HDR10 metadata: left out; these do: {able}"
        yield Note("side-data", text)
    if clip.alpha and not settings.alpha:
        yield Note("alpha", f"{settings.pixel_format} has no alpha: shown on black")


def _keeping_bits(depth: int, codec: VideoCodec) -> str:
    """What to choose to keep that many bits; empty where nothing does."""
    if codec.most_bits >= depth:
        return "pixel_format auto"
    able = [other for other in CODECS.values() if other.name != "gif" and other.most_bits >= depth]
    # Those for the same file first: a web page takes webm, whatever keeps more in mkv.
    same = [other for other in able if codec.suffixes[0] in other.suffixes]
    if same:
        return f"codec {same[0].name}"
    return f"codec {able[0].name} (name the output {able[0].suffixes[0]})" if able else ""


STAGE = EncodePyAV
