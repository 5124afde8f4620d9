"""What the original file holds beside its video: sound, subtitles, chapters, titles."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import AttachmentStream, Disposition, Stream
from av.subtitles.stream import SubtitleStream

from vidstyle.core import Clip, Note, OtherStream
from vidstyle.media.container import open_input
from vidstyle.media.file_clock import Section, SectionFollower, is_transmission
from vidstyle.stages.encode.audio import ReencodedAudio, is_lossless
from vidstyle.stages.encode.containers import Container
from vidstyle.stages.encode.covers import add_cover, is_cover
from vidstyle.stages.encode.encoder import EncodeOptions
from vidstyle.stages.encode.rehearsal import takes_header
from vidstyle.stages.encode.routes import AvPacket, CopiedPackets, Cut, Route
from vidstyle.stages.encode.subtitles import STYLED, TEXT, ConvertedSubtitles
from vidstyle.stages.encode.titles import TIMECODE, Titles, moved_chapter

Way: TypeAlias = Literal["copy", "encode", "drop"]
"""How a stream gets into the output, the best first."""

# What sound and subtitles may be meant for.
_MARKS: Final = (
    Disposition.comment
    | Disposition.lyrics
    | Disposition.karaoke
    | Disposition.forced
    | Disposition.hearing_impaired
    | Disposition.visual_impaired
    | Disposition.clean_effects
    | Disposition.captions
    | Disposition.descriptions
)

_REFUSALS: Final = (av.error.FFmpegError, ValueError)


class _LeftOutError(Exception):
    """Why a stream is left out."""


class OtherStreams:
    """Everything but the video, routed into an output that is being written."""

    def __init__(
        self,
        source: InputContainer | None,
        container: Container,
        options: EncodeOptions,
        cut: Cut,
        *,
        sections: Sequence[Section] = (),
        ways: Mapping[int, Way] | None = None,
    ) -> None:
        """Add nothing yet.

        Args:
            source: The original; None where it is not a file: then nothing is added.
            container: Of the output.
            options: What is kept.
            cut: Which time is kept.
            sections: Of the original's clock.
            ways: For streams, by index, that cannot be copied, or not be written at all.
        """
        self.notes: list[Note] = []
        self._source, self._container = source, container
        self._options, self._cut = options, cut
        self._clock = SectionFollower(sections)
        self._ways = {} if ways is None else ways
        self._routes: dict[int, Route] = {}
        self._broken = 0
        self._marks: dict[str, list[Disposition]] = {}
        self.titles = Titles(container.format)
        """What of the original's titles the output should have."""

    @property
    def ways(self) -> dict[int, Way]:
        """How each stream that has packets is written, by its index.

        Encoding without loss counts as a copy: where it is refused, a lossy codec is next.
        """
        return {
            index: "copy" if isinstance(route, CopiedPackets) or _is_lossless(route) else "encode"
            for index, route in self._routes.items()
        }

    def add_to(self, output: OutputContainer, video: Stream, clip: Clip) -> None:
        """Add the streams that are kept, and the titles; before the header is written."""
        if self._source is None:
            return
        for other in clip.streams:
            self.add_stream(output, other)
        if self._options.metadata == "copy":
            self._add_titles(output, self._source, video, clip)

    def add_stream(self, output: OutputContainer, other: OtherStream) -> None:
        """Add one stream, or note why it is left out."""
        assert self._source is not None
        source = self._source.streams[other.index]
        if (other.kind, "drop") in (
            ("audio", self._options.audio),
            ("subtitle", self._options.subtitles),
        ):
            return
        try:
            target = self._add(output, source, other.kind)
        except _LeftOutError as why:
            # Timecodes are titles.
            if TIMECODE not in source.metadata:
                # FFmpeg knows no codec of most attachments, but all have a name.
                file_name = source.metadata.get("filename")
                name = f"{other.kind} stream {other.index} ({file_name or other.codec})"
                self._note("dropped", f"{name} is left out: {why}")
            return
        if target is not None:
            target.disposition = source.disposition
            self._marks.setdefault(target.type, []).append(source.disposition & _MARKS)
            if self._options.metadata == "copy":
                target.metadata.update(self.titles.of(source.metadata))

    def written_by_itself(
        self, output: OutputContainer, other: OtherStream
    ) -> Generator[AvPacket, None, None]:
        """Add one stream; returns its packets."""
        self.add_stream(output, other)
        return self.packets()

    def packets(self) -> Generator[AvPacket, None, None]:
        """The packets to write, about in the order of time."""
        for packet in self._demuxed():
            yield from self.convert(packet)
        yield from self.finish()

    def convert(self, packet: AvPacket) -> Iterator[AvPacket]:
        """What can be written of a packet; nothing of a stream that is not kept."""
        route = self._routes.get(packet.stream_index)
        if route is None:
            return
        try:
            self._clock.move(packet)
            yield from route.convert(packet)
        except av.error.FFmpegError:
            self._broken += 1

    def finish(self) -> Iterator[AvPacket]:
        """What is left when there are no more packets."""
        for route in self._routes.values():
            try:
                yield from route.finish()
            except av.error.FFmpegError:
                self._broken += 1
            self.notes += route.notes
        if self._broken:
            text = f"{self._broken} packets of sound or subtitles could not be converted: left out"
            self._note("dropped", text)

    def lost(self, path: Path) -> Iterator[Note]:
        """What a written file does not have of titles, and of what streams are marked as."""
        with open_input(path) as written:
            yield from self.titles.notes(written)
            lost = Disposition(0)
            for kind, wanted in self._marks.items():
                found = [stream.disposition for stream in written.streams if stream.type == kind]
                for marks, kept in zip(wanted, found, strict=False):
                    lost |= marks & ~kept
        if lost:
            names = ", ".join(str(mark.name).replace("_", " ") for mark in lost)
            text = f"{self._container.format} does not mark sound or subtitles as: {names}"
            yield Note("titles", text)

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

    def _add(self, output: OutputContainer, source: Stream, kind: str) -> Stream | None:
        """The stream that was added, or None where no packets or titles belong to it."""
        if self._ways.get(source.index) == "drop":
            raise _LeftOutError(f"{self._container.format} refuses its packets")
        if isinstance(source, AttachmentStream):
            if self._container.attachments:
                output.add_stream_from_template(source)
                return None
        elif is_cover(source):
            return self._add_cover(output, source)
        elif kind == "video":
            raise _LeftOutError("one video stream is stylized")
        elif kind == "data":
            raise _LeftOutError("data is not copied")
        elif kind in ("audio", "subtitle") and not _readable(source):
            raise _LeftOutError("there is no decoder for it")
        elif isinstance(source, AudioStream):
            return self._add_audio(output, source)
        elif isinstance(source, SubtitleStream):
            return self._add_subtitles(output, source)
        raise self._unsupported

    def _add_cover(self, output: OutputContainer, source: Stream) -> Stream | None:
        assert self._source is not None
        if not self._container.covers:
            raise self._unsupported
        try:
            route = add_cover(self._source, source, output, self._container)
        except _REFUSALS as error:
            raise self._unsupported from error
        if route is None:
            return None
        self._routes[source.index] = route
        return route.target

    def _add_audio(self, output: OutputContainer, source: AudioStream) -> Stream:
        codec = source.codec_context.codec.canonical_name
        takes, container = self._container.audio, self._container
        if self._cut.exact:
            return self._reencode(output, source, "for an exact cut")
        if takes is not None and codec not in takes:
            return self._reencode(
                output, source, f"players expect no {codec} in {container.format}"
            )
        if self._ways.get(source.index) == "encode" or not takes_header(container, source):
            return self._reencode(output, source, f"{container.format} refuses its packets")
        return self._copy(output, source)

    def _reencode(self, output: OutputContainer, source: AudioStream, why: str) -> Stream:
        codec = source.codec_context.codec.canonical_name
        encoder, route = self._encoded(output, source, codec)
        self._routes[source.index] = route
        written = av.Codec(encoder, "w").canonical_name
        way = "without loss" if written == codec and is_lossless(codec) else f"as {written}"
        changes = f"; {route.changes}" if route.changes else ""
        text = f"audio stream {source.index} ({codec}) is re-encoded {way}: {why}{changes}"
        self._note("audio-encoded", text)
        return route.target

    def _encoded(
        self, output: OutputContainer, source: AudioStream, codec: str
    ) -> tuple[str, ReencodedAudio]:
        """The encoder and its route: a lossless codec's own where the container takes it."""
        container = self._container
        takes = container.audio is None or codec in container.audio
        refused = source.index in self._ways
        if is_lossless(codec) and takes and not refused and takes_header(container, source):
            with suppress(*_REFUSALS):
                return codec, ReencodedAudio(source, output, codec, self._cut)
        encoder = container.audio_codec
        if not encoder:
            raise self._unsupported
        try:
            return encoder, ReencodedAudio(source, output, encoder, self._cut)
        except _REFUSALS as error:
            raise _LeftOutError(f"it cannot be re-encoded as {encoder}") from error

    def _add_subtitles(self, output: OutputContainer, source: SubtitleStream) -> Stream:
        codec, container = source.codec_context.codec.canonical_name, self._container
        copies = codec in container.subtitles and self._ways.get(source.index) != "encode"
        if copies and takes_header(container, source):
            return self._copy(output, source)
        if codec not in TEXT or not container.subtitle_codec:
            raise self._unsupported
        try:
            route = ConvertedSubtitles(source, output, container.subtitle_codec, self._cut)
        except _REFUSALS as error:
            raise self._unsupported from error
        self._routes[source.index] = route
        if codec in STYLED:
            name = f"subtitle stream {source.index} ({codec})"
            text = f"{name} becomes {container.subtitle_codec}: styles and positions are left out"
            self._note("subtitles-converted", text)
        return route.target

    def _copy(self, output: OutputContainer, source: Stream) -> Stream:
        try:
            target = output.add_stream_from_template(source)
        except _REFUSALS as error:
            raise self._unsupported from error
        # Opus says itself how much of its start is not heard, but not in transmissions; others have
        # edit lists or nothing.
        whole = target.name == "opus" and not is_transmission(source.container)
        hidden = self._container.edit_lists or whole
        self._routes[source.index] = CopiedPackets(target, self._cut, before_zero=hidden)
        return target

    @property
    def _unsupported(self) -> _LeftOutError:
        return _LeftOutError(f"{self._container.format} does not support it")

    def _add_titles(
        self, output: OutputContainer, source: InputContainer, video: Stream, clip: Clip
    ) -> None:
        others = {other.index for other in clip.streams}
        mains = [stream for stream in source.streams.video if stream.index not in others]
        if self._cut.exact:
            begins = [(s.start_time or 0) * (s.time_base or 0) for s in mains]
            self.titles.start_later(self._cut.start - min(begins, default=0), clip.frame_rate)
        output.metadata.update(self.titles.of(source.metadata))
        for stream in mains:
            video.metadata.update(self.titles.of(stream.metadata))
        moved = (moved_chapter(chapter, self._cut) for chapter in source.chapters())
        chapters = [kept for kept in moved if kept]
        if chapters:
            output.set_chapters(chapters)

    def _note(self, kind: str, text: str) -> None:
        self.notes.append(Note(kind, text))


def _readable(stream: Stream) -> bool:
    # PyAV has no codec context where FFmpeg has no decoder, whatever its types say.
    return getattr(stream, "codec_context", None) is not None


def _is_lossless(route: Route) -> bool:
    if not isinstance(route, ReencodedAudio):
        return False
    return is_lossless(route.target.codec_context.codec.canonical_name)
