"""Subtitles of text that are converted, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.container import OutputContainer
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from vidstyle.core import Note
from vidstyle.stages.encode.routes import AvPacket, CopiedPackets, Cut

# Codecs of subtitles that can be converted to each other.
TEXT: Final = frozenset({"mov_text", "subrip", "ass", "ssa", "webvtt", "text"})
# Those of them that say where and how a line is shown.
STYLED: Final = frozenset({"ass", "ssa"})
# Formats in which one text is shown at a time.
_ONE_AT_A_TIME: Final = frozenset({"mov_text"})
# Fields of an ASS event before its text.
_FIELDS: Final = 8


@dataclass(slots=True)
class _Line:
    ass: bytes
    end: int


class ConvertedSubtitles:
    """Decodes each line of text and encodes it again; times are those of the packets.

    Where the format shows one text at a time, lines that overlap become texts of several lines.
    """

    def __init__(
        self, source: SubtitleStream, output: OutputContainer, encoder: str, cut: Cut
    ) -> None:
        """Add a stream to ``output``. Raises av's errors or ValueError where nothing fits."""
        self._source = source
        source.codec_context.open(strict=False)
        target = output.add_stream(encoder)
        assert isinstance(target, SubtitleStream)
        self.target = target
        # Without its header of styles no text encoder opens.
        target.codec_context.subtitle_header = source.codec_context.subtitle_header
        self._moved = CopiedPackets(target, cut, before_zero=False)
        self._flat = encoder in _ONE_AT_A_TIME
        self._shown: list[_Line] = []
        self._at = 0
        self._time_base = Fraction(1, 1000)
        self._damaged = 0

    @property
    def notes(self) -> Iterator[Note]:
        yield from self._moved.notes
        if self._damaged:
            yield Note("damage", f"damaged lines of subtitles left out: {self._damaged}")

    def convert(self, packet: AvPacket) -> Iterator[AvPacket]:
        lines = [] if not packet.size or packet.pts is None else self._decode(packet)
        if not lines or packet.pts is None:
            return
        begin, end = packet.pts, packet.pts + (packet.duration or 0)
        self._time_base = packet.time_base
        if not self._flat:
            yield from self._encode(lines, begin, end)
            return
        yield from self._show_until(begin)
        self._at = begin
        self._shown += [_Line(line, end) for line in lines]

    def finish(self) -> Iterable[AvPacket]:
        return self._show_until(max((line.end for line in self._shown), default=0))

    def _decode(self, packet: AvPacket) -> list[bytes]:
        try:
            decoded = self._source.codec_context.decode2(packet)
        except av.error.FFmpegError:
            self._damaged += 1
            return []
        return [line.ass for line in decoded or () if isinstance(line, AssSubtitle) and line.ass]

    def _show_until(self, time: int) -> Iterator[AvPacket]:
        """What is shown up to a time, in spans in which it stays the same."""
        while self._shown and self._at < time:
            stop = min(time, *(line.end for line in self._shown))
            if stop > self._at:
                yield from self._encode([line.ass for line in self._shown], self._at, stop)
                self._at = stop
            self._shown = [line for line in self._shown if line.end > stop]

    def _encode(self, lines: list[bytes], begin: int, end: int) -> Iterator[AvPacket]:
        duration = round((end - begin) * self._time_base * 1000)
        text = SubtitleSet.create(_together(lines), 0, duration)
        encoded = self.target.codec_context.encode_subtitle(text)
        encoded.time_base = self._time_base
        encoded.pts = encoded.dts = begin
        encoded.duration = end - begin
        yield from self._moved.convert(encoded)


def _together(lines: list[bytes]) -> bytes:
    """One ASS event with the texts of several, one below the other."""
    first, *others = (line.rstrip(b"\r\n") for line in lines)
    return b"\\N".join([first, *(line.split(b",", _FIELDS)[-1] for line in others)])
