"""Chunks, the original's other streams and the true times, put together in one file."""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

from av.container import OutputContainer
from av.packet import PacketSideData, packet_sidedata_type_from_literal
from av.stream import Disposition
from av.video.stream import VideoStream

from vidstyle.core import Clip, FrameTime, Note, Original, Segment
from vidstyle.core.errors import OutputError
from vidstyle.core.sink import STAMP_PREFIX
from vidstyle.media.container import choose_video, open_original, video_streams
from vidstyle.media.file_clock import Section, read_sections
from vidstyle.stages.encode.codecs import CODECS
from vidstyle.stages.encode.containers import Container, container_for
from vidstyle.stages.encode.encoder import EncodeOptions, EncoderSettings, configure
from vidstyle.stages.encode.other_streams import OtherStreams, Way
from vidstyle.stages.encode.output_file import open_output, padded_packet, verify_file
from vidstyle.stages.encode.priority import usual_priority
from vidstyle.stages.encode.rehearsal import is_refusal, takes_packets
from vidstyle.stages.encode.routes import AvPacket, Cut
from vidstyle.stages.encode.timeline import TimedPacket, Timeline, decoding_order
from vidstyle.stages.encode.writer import ALPHA_PLANE

# Seconds. Enough for the usual end card, and little enough for players to buffer at 4K.
_MOST_AHEAD: Final = 4
# Given to containers of a 1 ms clock where the rate varies: then they write no default duration.
_NO_RATE: Final = Fraction(1000)


@dataclass(frozen=True, slots=True)
class Joining:
    """What all files of one clip and one set of options have in common."""

    clip: Clip
    settings: EncoderSettings
    options: EncodeOptions

    def write(
        self,
        chunks: Sequence[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> list[Note]:
        """Write ``path`` and verify it; returns what was changed. Raises OutputError."""
        # No container shows what is before 0, so that everything moves up together.
        lift = max(0, -times[0].pts)
        shown = [FrameTime(frame.pts + lift, frame.duration) for frame in times]
        cut = _cut(original, lift * self.clip.time_base)
        notes = self._mux_with_others(chunks, shown, original, cut, path)
        if lift:
            seconds = float(lift * self.clip.time_base)
            notes.append(Note("moved", f"all times are {seconds:g} s later, to start at 0"))
        notes += self._aspect_notes(path)
        size = (self.settings.width, self.settings.height)
        verify_file(path, [frame.pts * self.clip.time_base for frame in shown], size)
        return notes

    def _aspect_notes(self, path: Path) -> Iterator[Note]:
        aspect, codec = self.clip.sample_aspect, self.settings.codec
        if aspect == 1 or codec.stores_aspect:
            return
        container = container_for(path, codec.name)
        if not container.stores_aspect:
            yield Note(
                "aspect",
                f"{codec.name} in {container.format} cannot store the sample aspect {aspect}: "
                "players show square pixels; libx264 and libx265 store it",
            )

    def _most_ahead(self, container: Container) -> int | None:
        if not container.edit_lists:
            return None
        # Equal intervals are how a file says that its rate is constant, whatever the last frame.
        return 0 if self.clip.frame_rate else int(_MOST_AHEAD / self.clip.time_base)

    def _mux_with_others(
        self,
        chunks: Sequence[Segment],
        times: Sequence[FrameTime],
        original: Original,
        cut: Cut,
        path: Path,
    ) -> list[Note]:
        """Write the file; streams that the muxer refuses are re-encoded, else left out."""
        container = container_for(path, self.options.codec)
        sections = self._sections(original.path)
        ways: dict[int, Way] = {}
        while True:
            with open_original(original.path) as source:
                others = OtherStreams(
                    source, container, self.options, cut, sections=sections, ways=ways
                )
                try:
                    self._mux(chunks, times, others, path, original.stamp)
                    return [*others.notes, *others.lost(path)]
                except OutputError as error:
                    if not others.ways or not is_refusal(error.__cause__):
                        raise
            refused = self._refused(original.path, container, others.ways, cut, sections)
            for index in refused or set(others.ways):
                able = others.ways[index] == "copy" and self._is_sound(index)
                ways[index] = "encode" if able else "drop"

    def _refused(
        self,
        path: Path,
        container: Container,
        ways: Mapping[int, Way],
        cut: Cut,
        sections: Sequence[Section],
    ) -> set[int]:
        """The streams that the muxer does not take alone, as they were written."""
        refused = set()
        for other in self.clip.streams:
            if other.index not in ways:
                continue
            with open_original(path) as source:
                single = OtherStreams(
                    source, container, self.options, cut, sections=sections, ways=ways
                )

                if not takes_packets(container, partial(single.written_by_itself, other=other)):
                    refused.add(other.index)
        return refused

    def _is_sound(self, index: int) -> bool:
        return any(other.index == index and other.kind == "audio" for other in self.clip.streams)

    def _sections(self, path: Path) -> Sequence[Section]:
        if not self.clip.streams:
            return ()
        with open_original(path) as source:
            if source is None or not video_streams(source):
                return ()
            return read_sections(source, choose_video(source))

    def _mux(
        self,
        chunks: Sequence[Segment],
        times: Sequence[FrameTime],
        others: OtherStreams,
        path: Path,
        stamp: str,
    ) -> None:
        clip, codec = self.clip, CODECS[self.options.codec]
        container = container_for(path, codec.name)
        order = decoding_order(chunks, len(times)) if codec.reorders else range(len(times))
        timeline = Timeline(times, order, self._most_ahead(container))
        with open_output(path, container, clip.time_base) as output:
            tag = codec.tag.get(path.suffix.lower())
            header = chunks[0].header
            stream = add_video(output, clip, self.settings, header, delay=timeline.delay, tag=tag)
            others.add_to(output, stream, clip)
            _tag(output.metadata, container.stamp_tag, stamp)
            # Closed here: where muxing fails they would read on from a store that is closed.
            with (
                closing(_video_packets(timeline.packets(chunks), stream, clip.time_base)) as video,
                closing(others.packets()) as rest,
            ):
                for packet in _interleave(video, rest):
                    output.mux_one(packet)


def add_video(
    output: OutputContainer,
    clip: Clip,
    settings: EncoderSettings,
    extradata: bytes,
    *,
    delay: int = 0,
    tag: str | None = None,
) -> VideoStream:
    """Add the video's stream, described by an encoder that is opened for its header alone.

    ``delay`` is by how many frames decoding runs ahead; ``tag`` names the codec in the file.
    """
    stream = output.add_stream(settings.codec.name, rate=clip.frame_rate or _NO_RATE)
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    configure(context, settings)
    if tag is not None:
        context.codec_tag = tag
    with usual_priority():
        context.open()
    context.extradata = extradata or None
    context.reorder_depth = delay
    stream.time_base = clip.time_base
    stream.disposition = Disposition.default
    return stream


def _tag(metadata: dict[str, str], tag: str, stamp: str) -> None:
    """Put the stamp among the titles, unless a text of the original's author stands there."""
    for name in [name for name in metadata if metadata[name].startswith(STAMP_PREFIX)]:
        # An original that was stylized itself has brought its own.
        del metadata[name]
    # Titles of Matroska are upper case, and FFmpeg takes those that differ by case for one.
    if tag and stamp and tag.lower() not in map(str.lower, metadata):
        metadata[tag] = stamp


def _cut(original: Original, lift: Fraction) -> Cut:
    if original.interval is None:
        return Cut(start=-lift)
    start, end = original.interval
    return Cut(start - lift, end, exact=True)


def _video_packets(
    packets: Iterable[TimedPacket], stream: VideoStream, time_base: Fraction
) -> Generator[AvPacket, None, None]:
    """The stored packets as the muxer takes them."""
    for timed in packets:
        yield video_packet(timed, stream, time_base)


def video_packet(timed: TimedPacket, stream: VideoStream, time_base: Fraction) -> AvPacket:
    """A packet as the muxer takes it."""
    stored = timed.packet
    packet = padded_packet(stored.data)
    packet.stream, packet.time_base = stream, time_base
    packet.pts, packet.dts, packet.duration = timed.pts, timed.dts, timed.duration
    packet.is_keyframe = stored.keyframe
    for name, data in stored.side_data:
        packet.set_sidedata(_side_data(name, data))
    return packet


def _interleave(*streams: Iterable[AvPacket]) -> Iterator[AvPacket]:
    """Packets of several streams in the order of decoding time, at most one of each in memory."""
    return heapq.merge(*streams, key=_seconds)


def _seconds(packet: AvPacket) -> Fraction:
    time = packet.dts if packet.dts is not None else packet.pts
    return (time or 0) * packet.time_base


def _side_data(name: str, data: bytes) -> Any:
    if name != ALPHA_PLANE:
        raise OutputError(f"a stored packet has unknown side data {name}; run again")
    kind = packet_sidedata_type_from_literal(ALPHA_PLANE)
    side_data: Any = PacketSideData(kind, len(data))  # type: ignore[call-arg]  # stub lacks it
    side_data.update(data)
    return side_data
