"""A video file that grows frame by frame, with the sound that arrives beside them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from vidstyle.core import Clip, Frame, FrameTime, Note, Packet
from vidstyle.core.frame import HOST
from vidstyle.media.container import choose_video, open_original, video_streams
from vidstyle.media.file_clock import Section, read_sections
from vidstyle.media.piped_video import PacketQueue
from vidstyle.stages.encode.containers import Container
from vidstyle.stages.encode.encoder import EncodeOptions, EncoderSettings
from vidstyle.stages.encode.joining import add_video, video_packet
from vidstyle.stages.encode.other_streams import OtherStreams, Way
from vidstyle.stages.encode.output_file import explain_muxer_errors
from vidstyle.stages.encode.routes import AvPacket, Cut
from vidstyle.stages.encode.timeline import TimedPacket
from vidstyle.stages.encode.writer import ChunkWriter

# With these Matroska writes each packet when the next one comes, not some seconds of them.
_AT_ONCE: Final = {
    "cluster_time_limit": "0",
    "flush_packets": "1",
    # Microseconds that one stream waits for another.
    "max_interleave_delta": "1",
}
# Seconds by which sound from a file is written before the frames of its time.
_LEAD: Final = Fraction(1, 2)


class OpenOutput(Protocol):
    """What takes the bytes."""

    def write(self, data: Any) -> int:
        """Take all of it."""
        ...

    def check(self) -> None:
        """Raise what has failed."""
        ...


class LiveVideo:
    """Encodes and writes each frame at once: nothing is kept, and no frame waits for later ones."""

    def __init__(
        self,
        clip: Clip,
        settings: EncoderSettings,
        options: EncodeOptions,
        container: Container,
        output: OpenOutput,
        original: Path | PacketQueue | None,
        *,
        in_pipe: bool,
        tag: str | None = None,
    ) -> None:
        """Write nothing yet.

        Args:
            clip: As it arrives.
            settings: Of an encoder that holds no frames back.
            options: What is kept of the original.
            container: Of the output.
            output: Takes the bytes.
            original: Where other streams come from; None for nowhere.
            in_pipe: Whether the output cannot be sought in.
            tag: Names the codec in the file.
        """
        self._clip, self._settings, self._options = clip, settings, options
        self._container, self._output, self._original = container, output, original
        self._in_pipe, self._tag = in_pipe, tag
        self._writer = ChunkWriter(clip, settings)
        self._times: dict[int, FrameTime] = {}
        self._frames = 0
        self._stack = ExitStack()
        self._muxer: tuple[OutputContainer, VideoStream] | None = None
        self._others: OtherStreams | None = None
        self._rest: Generator[AvPacket, None, None] | None = None
        self._following: AvPacket | None = None
        self._refused: set[int] = set()
        self._shift = 0

    @property
    def delay(self) -> int:
        """Frames that are given before the bytes of one are written."""
        return 1 if self._in_pipe else 0

    @property
    def notes(self) -> list[Note]:
        """What was dropped or changed, as far as it is known."""
        return [] if self._others is None else list(self._others.notes)

    def write(self, frame: Frame) -> str:
        """Encode a frame, and write what is ready; returns the hash of its samples."""
        shown = frame.restrict(("image", "alpha"), HOST)
        packets, digest = self._writer.write(shown)
        if not self._frames:
            # No container shows what is before 0, so that everything moves up together.
            self._shift = max(0, -frame.pts)
        self._times[self._frames] = FrameTime(frame.pts + self._shift, frame.duration)
        self._frames += 1
        self._mux(packets)
        return digest

    def finish(self) -> None:
        """Write what is left, and the end of the file."""
        self._mux(self._writer.finish())
        with explain_muxer_errors(Path(str(self._output))):
            if self._muxer is not None and self._others is not None:
                output = self._muxer[0]
                self._mux_others(output, self._others_until(None))
                if self._rest is None:
                    self._mux_others(output, self._others.finish())
            self._stack.close()
        self._output.check()

    def close(self) -> None:
        """Close what is open; may be called twice."""
        self._stack.close()

    def _mux(self, packets: list[Packet]) -> None:
        if not packets:
            return
        name = Path(str(self._output))
        with explain_muxer_errors(name):
            output, stream = self._muxer = self._muxer or self._begin()
            for packet in packets:
                # No encoder of these settings changes the order of frames.
                time = self._times.pop(packet.pts)
                timed = TimedPacket(packet, time.pts, time.pts, time.duration)
                if self._others is not None:
                    now = time.pts * self._clip.time_base
                    self._mux_others(output, self._others_until(now))
                output.mux_one(video_packet(timed, stream, self._clip.time_base))
                self._output.check()

    def _begin(self) -> tuple[OutputContainer, VideoStream]:
        """Open the muxer; what the file says before its frames is then known."""
        options = self._container.muxer_options(self._clip.time_base)
        if self._in_pipe:
            options |= _AT_ONCE
        output = self._stack.enter_context(
            av.open(
                self._output, mode="w", format=self._container.format, container_options=options
            )
        )
        header = self._writer.header
        stream = add_video(output, self._clip, self._settings, header, tag=self._tag)
        source, sections = self._open_others()
        if source is not None:
            cut = Cut(start=-self._shift * self._clip.time_base)
            self._others = OtherStreams(
                source,
                self._container,
                self._options,
                cut,
                sections=sections,
                ways=_ways_of(source),
            )
            self._others.add_to(output, stream, self._clip)
            if not isinstance(self._original, PacketQueue):
                self._rest = self._others.packets()
                self._stack.callback(self._rest.close)
        return output, stream

    def _open_others(self) -> tuple[InputContainer | None, list[Section] | Any]:
        original = self._original
        if original is None:
            return None, ()
        if isinstance(original, PacketQueue):
            return original.container, original.sections
        sections: list[Section] = []
        if self._clip.streams:
            with open_original(original) as first:
                if first is not None and video_streams(first):
                    sections = read_sections(first, choose_video(first))
        return self._stack.enter_context(open_original(original)), sections

    def _others_until(self, now: Fraction | None) -> Iterator[AvPacket]:
        """The packets of other streams that can be written before a frame; None for all."""
        return self._from_queue() if self._rest is None else self._from_file(now)

    def _from_queue(self) -> Iterator[AvPacket]:
        if isinstance(self._original, PacketQueue) and self._others is not None:
            waiting = self._original.packets
            while waiting:
                yield from self._others.convert(waiting.popleft())

    def _from_file(self, now: Fraction | None) -> Iterator[AvPacket]:
        """The packets of a file's other streams up to a little behind ``now``, or all."""
        assert self._rest is not None
        while True:
            packet = self._following or next(self._rest, None)
            self._following = None
            if packet is None:
                return
            time = packet.dts if packet.dts is not None else packet.pts or 0
            if now is not None and time * packet.time_base > now + _LEAD:
                self._following = packet
                return
            yield packet

    def _mux_others(self, output: OutputContainer, packets: Iterator[AvPacket]) -> None:
        """Write packets of other streams; a stream that the muxer refuses is left out."""
        for packet in packets:
            index = packet.stream.index
            if index in self._refused:
                continue
            try:
                output.mux_one(packet)
            except (av.error.FFmpegError, ValueError) as error:
                self._output.check()
                self._refused.add(index)
                assert self._others is not None
                text = f"{packet.stream.type} is left out: {self._container.format} refuses it"
                self._others.notes.append(Note("dropped", f"{text} ({error})"))
            self._output.check()


def _ways_of(source: InputContainer) -> dict[int, Way]:
    """Streams that no other container takes as they are: nobody can try it with a pipe.

    AAC of transmissions describes itself in each packet, and nowhere else.
    """
    return {
        stream.index: "encode"
        for stream in source.streams.audio
        if stream.codec_context.codec.canonical_name == "aac" and not stream.codec_context.extradata
    }
