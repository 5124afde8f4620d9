"""Text subtitles in the form that a container takes."""

from __future__ import annotations

from typing import Final

from av.container import OutputContainer
from av.subtitles.stream import SubtitleStream

from vidstyle.stages.encode.cut import Cut
from vidstyle.stages.encode.routes import AvPacket, Copied

TEXT: Final = frozenset({"mov_text", "subrip", "ass", "ssa", "webvtt", "text"})
"""Codecs that can be turned into each other."""


class ConvertedSubtitles:
    """Decodes each line of text and encodes it anew; times are those of the packets."""

    def __init__(
        self, source: SubtitleStream, output: OutputContainer, encoder: str, cut: Cut
    ) -> None:
        """Adds a stream to ``output``. Raises av's errors or ValueError where nothing fits."""
        self._source = source
        source.codec_context.open(strict=False)
        target = output.add_stream(encoder)
        assert isinstance(target, SubtitleStream)
        self.target = target
        # Without its header of styles no text encoder opens.
        target.codec_context.subtitle_header = source.codec_context.subtitle_header
        self._moved = Copied(target, cut, before_zero=False)

    def convert(self, packet: AvPacket) -> list[AvPacket]:
        lines = self._source.codec_context.decode2(packet) if packet.size else None
        if lines is None or not len(lines):
            return []
        encoded = self.target.codec_context.encode_subtitle(lines)
        encoded.time_base = packet.time_base
        encoded.pts, encoded.dts, encoded.duration = packet.pts, packet.dts, packet.duration
        return self._moved.convert(encoded)

    def finish(self) -> list[AvPacket]:
        return []
