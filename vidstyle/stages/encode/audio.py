"""Sound that cannot be copied: the container does not support it, or the cut is exact."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph

from vidstyle.stages.encode.routes import AvPacket, Cut

_BITS_PER_CHANNEL: Final = 96_000
_OPUS_RATE: Final = 48_000
# Seconds decoded before a cut, since lossy codecs need what came before.
_PREROLL: Final = Fraction(1)


class ReencodedAudio:
    """Decodes, cuts to the sample, encodes. Gaps become silence, so that nothing drifts."""

    def __init__(
        self, source: AudioStream, output: OutputContainer, encoder: str, cut: Cut
    ) -> None:
        """Add a stream to ``output``. Raises av's errors or ValueError where nothing fits."""
        rate = _encoder_rate(source, encoder)
        _check_encoder(source, encoder, rate)
        self._source, self._cut = source, cut
        target = output.add_stream(encoder, rate=rate)
        assert isinstance(target, AudioStream)
        self.target = target
        _configure(target.codec_context, source, rate)
        target.codec_context.open()
        self._graph = self._build_graph(rate)

    def convert(self, packet: AvPacket) -> list[AvPacket]:
        moment = (packet.pts or packet.dts or 0) * packet.time_base
        if not self._cut.keeps(moment, moment + _PREROLL):
            return []
        packets: list[AvPacket] = []
        for frame in self._source.codec_context.decode(packet):
            packets += self._encode(frame)
        return packets

    def finish(self) -> list[AvPacket]:
        packets: list[AvPacket] = []
        for frame in self._source.codec_context.decode(None):
            packets += self._encode(frame)
        packets += self._encode(None)
        return packets + self.target.encode(None)

    def _encode(self, frame: AudioFrame | None) -> list[AvPacket]:
        self._graph.push(frame)
        packets: list[AvPacket] = []
        for ready in _pull_frames(self._graph):
            packets += self.target.encode(ready)
        return packets

    def _build_graph(self, rate: int) -> Graph:
        source, context = self._source, self.target.codec_context
        layout, form = context.layout.name, context.format.name
        start = round(self._cut.start * rate)
        graph = Graph()
        nodes = [
            graph.add_abuffer(template=source, time_base=source.time_base),
            graph.add("aresample", f"{rate}:async=1"),
            graph.add("aformat", f"sample_fmts={form}:channel_layouts={layout}"),
        ]
        if self._cut.exact:
            end = "" if self._cut.end is None else f":end_pts={round(self._cut.end * rate)}"
            nodes.append(graph.add("atrim", f"start_pts={start}{end}"))
        nodes += [graph.add("asetpts", f"PTS-({start})"), graph.add("abuffersink")]
        graph.link_nodes(*nodes).configure()
        if context.frame_size > 0:
            graph.set_audio_frame_size(context.frame_size)
        return graph


def _pull_frames(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, AudioFrame)
        yield frame


def _encoder_rate(source: AudioStream, encoder: str) -> int:
    return _OPUS_RATE if encoder == "libopus" else source.codec_context.sample_rate


def _check_encoder(source: AudioStream, encoder: str, rate: int) -> None:
    """Open the encoder aside: a stream that was added to a container cannot be taken back."""
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, AudioCodecContext)
    formats = context.codec.audio_formats
    if formats:
        context.format = formats[0]
    context.sample_rate = rate
    _configure(context, source, rate)
    context.open()


def _configure(context: AudioCodecContext, source: AudioStream, rate: int) -> None:
    context.layout = source.codec_context.layout
    context.bit_rate = _BITS_PER_CHANNEL * source.codec_context.channels
    context.time_base = Fraction(1, rate)
