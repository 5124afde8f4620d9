"""What the original file holds beside its video: sound, subtitles, chapters, titles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import AttachmentStream, Discard, Stream
from av.subtitles.stream import SubtitleStream

from vidstyle.core import Clip, Note, OtherStream
from vidstyle.stages.encode.audio import ReencodedAudio
from vidstyle.stages.encode.containers import Container
from vidstyle.stages.encode.encoder import EncodeOptions
from vidstyle.stages.encode.routes import (
    TEXT,
    AvPacket,
    ConvertedSubtitles,
    CopiedPackets,
    Cut,
    Route,
)

if TYPE_CHECKING:
    from av.container.core import Chapter  # a name of the stubs alone

# Titles that describe the original file and not the output.
_UNTRUE: Final = frozenset(
    {"encoder", "major_brand", "minor_version", "compatible_brands", "duration", "rotate"}
)
_REFUSALS: Final = (av.error.FFmpegError, ValueError)


class OtherStreams:
    """Everything but the video, routed into an output that is being written."""

    def __init__(
        self,
        source: InputContainer | None,
        container: Container,
        options: EncodeOptions,
        cut: Cut,
    ) -> None:
        """``source`` is None where the original is not a file: then nothing is added."""
        self.notes: list[Note] = []
        self._source, self._container = source, container
        self._options, self._cut = options, cut
        self._routes: dict[int, Route] = {}

    def add_to(self, output: OutputContainer, video: Stream, clip: Clip) -> None:
        """Add the streams that are kept, and the titles; before the header is written."""
        if self._source is None:
            return
        for other in clip.streams:
            self._add(output, self._source.streams[other.index], other)
        if self._options.metadata == "copy":
            self._add_titles(output, self._source, video, clip)

    def packets(self) -> Iterator[AvPacket]:
        """The packets to write, about in the order of time."""
        broken = 0
        for packet in self._demuxed():
            try:
                yield from self._routes[packet.stream_index].convert(packet)
            except av.error.FFmpegError:
                broken += 1
        for route in self._routes.values():
            try:
                yield from route.finish()
            except av.error.FFmpegError:
                broken += 1
        if broken:
            self._note("damage", f"{broken} damaged packets of sound or subtitles were left out")

    def _demuxed(self) -> Iterator[AvPacket]:
        if self._source is None or not self._routes:
            return
        kept = [stream for stream in self._source.streams if stream.index in self._routes]
        try:
            for packet in self._source.demux(kept):
                if packet.size or packet.pts is not None:
                    yield packet
        except av.error.FFmpegError as error:
            self._note("damage", f"sound and subtitles end early ({error.strerror})")

    def _add(self, output: OutputContainer, source: Stream, other: OtherStream) -> None:
        target: Stream | None = None
        if other.kind == "audio":
            if self._options.audio == "drop":
                return
            target = self._add_audio(output, source)
        elif other.kind == "subtitle":
            if self._options.subtitles == "drop":
                return
            target = self._add_subtitles(output, source)
        elif isinstance(source, AttachmentStream) and self._container.attachments:
            output.add_stream_from_template(source)
            return
        if target is None:
            if source.discard == Discard.all:
                return  # chapters as mp4 keeps them: they are copied as chapters
            name = f"{other.kind} stream {other.index} ({other.codec})"
            self._note("dropped", f"{self._container.format} does not support {name}: left out")
            return
        target.disposition = source.disposition
        if self._options.metadata == "copy":
            target.metadata.update(_titles(source.metadata))

    def _add_audio(self, output: OutputContainer, source: Stream) -> Stream | None:
        if not isinstance(source, AudioStream) or not _readable(source):
            return None
        codec = source.codec_context.codec.canonical_name
        takes = self._container.audio
        if not self._cut.exact and (takes is None or codec in takes):
            copied = self._copy(output, source)
            if copied is not None:
                return copied
        return self._reencode(output, source, codec)

    def _reencode(self, output: OutputContainer, source: AudioStream, codec: str) -> Stream | None:
        encoder = self._container.audio_codec
        if not encoder:
            return None
        try:
            route = ReencodedAudio(source, output, encoder, self._cut)
        except _REFUSALS:
            return None
        self._routes[source.index] = route
        why = (
            "for an exact cut"
            if self._cut.exact
            else f"{self._container.format} does not support {codec}"
        )
        self._note("audio-encoded", f"audio stream {source.index} ({codec}) is re-encoded: {why}")
        return route.target

    def _add_subtitles(self, output: OutputContainer, source: Stream) -> Stream | None:
        if not isinstance(source, SubtitleStream) or not _readable(source):
            return None
        codec = source.codec_context.codec.canonical_name
        if codec in self._container.subtitles:
            return self._copy(output, source)
        if codec not in TEXT or not self._container.subtitle_codec:
            return None
        try:
            route = ConvertedSubtitles(source, output, self._container.subtitle_codec, self._cut)
        except _REFUSALS:
            return None
        self._routes[source.index] = route
        return route.target

    def _copy(self, output: OutputContainer, source: Stream) -> Stream | None:
        try:
            target = output.add_stream_from_template(source)
        except _REFUSALS:
            return None
        # Opus says itself how much of its start is not heard; others have edit lists or nothing.
        hidden = self._container.edit_lists or target.name == "opus"
        self._routes[source.index] = CopiedPackets(target, self._cut, before_zero=hidden)
        return target

    def _add_titles(
        self, output: OutputContainer, source: InputContainer, video: Stream, clip: Clip
    ) -> None:
        output.metadata.update(_titles(source.metadata))
        others = {other.index for other in clip.streams}
        for stream in source.streams.video:
            if stream.index not in others:
                video.metadata.update(_titles(stream.metadata))
        chapters = [kept for kept in map(self._moved, source.chapters()) if kept]
        if chapters:
            output.set_chapters(chapters)

    def _moved(self, chapter: Chapter) -> Chapter | None:
        """The chapter on the output's clock, or None outside of the cut."""
        time_base = chapter["time_base"]
        if time_base is None:
            return None
        start, end = chapter["start"], chapter["end"]
        if not self._cut.keeps(start * time_base, end * time_base):
            return None
        start, end = self._cut.moved(start, time_base), self._cut.moved(end, time_base)
        if self._cut.exact:
            start, end = self._cut.trimmed(start, end, time_base)
        return {**chapter, "start": start, "end": end}

    def _note(self, kind: str, text: str) -> None:
        self.notes.append(Note(kind, text))


def _readable(stream: Stream) -> bool:
    # PyAV has no codec context where FFmpeg has no decoder, whatever its types say.
    return getattr(stream, "codec_context", None) is not None


def _titles(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in metadata.items() if name.lower() not in _UNTRUE}
