"""GIF at the end of a run: the whole clip shares one palette, so that chunks cannot be joined.

Two passes over the lossless chunks: one collects colours, one draws with them. A single pass
would hold every frame in memory until the last has been seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import av
from av.container import OutputContainer
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vidstyle.core import Clip, FrameTime, Notice, Segment
from vidstyle.stages.encode.containers import CONTAINERS
from vidstyle.stages.encode.muxing import failing_as_output, opened_output, padded_packet
from vidstyle.stages.encode.probe import probe

TICK: Final = Fraction(1, 100)
"""What delays in a GIF are counted in."""
_SHORTEST: Final = 2
# Browsers show anything shorter for a tenth of a second.


def write_gif(
    chunks: Sequence[Segment], times: Sequence[FrameTime], clip: Clip, path: Path
) -> list[Notice]:
    """Write ``path`` from chunks of ffv1 and probe it. Raises OutputError.

    The first frame is at 0; opacity is all or nothing, split at half.
    """
    ticks = _ticks(times, clip.time_base)
    spans = {tick: after - tick for tick, after in pairwise(ticks)}
    pictures = _Pictures(chunks, clip)
    with failing_as_output(path):
        palette = pictures.palette()
        with opened_output(path, CONTAINERS[".gif"], TICK) as output:
            stream = _add_stream(output, clip)
            for tick, picture in zip(ticks, pictures.drawn(palette), strict=False):
                picture.pts, picture.time_base = tick, TICK
                _mux(output, stream, picture, spans)
            _mux(output, stream, None, spans)
    probe(path, [tick * TICK for tick in ticks[:-1]], (clip.width, clip.height))
    if min(spans.values()) >= _SHORTEST:
        return []
    return [Notice("gif-rate", "players slow a GIF down above 50 frames a second")]


class _Pictures:
    """The stored chunks as pictures, decoded anew on each pass."""

    def __init__(self, chunks: Sequence[Segment], clip: Clip) -> None:
        self._chunks, self._clip = chunks, clip

    def palette(self) -> VideoFrame:
        """The 256 colours that fit the whole clip best."""
        graph = Graph()
        nodes = [self._source(graph), graph.add("palettegen"), graph.add("buffersink")]
        graph.link_nodes(*nodes).configure()
        for picture in self._decoded():
            graph.vpush(picture)
        graph.vpush(None)
        return graph.vpull()

    def drawn(self, palette: VideoFrame) -> Iterator[VideoFrame]:
        """The pictures in those colours."""
        graph = Graph()
        pictures, draw = self._source(graph), graph.add("paletteuse", "alpha_threshold=128")
        colours = graph.add_buffer(
            width=palette.width, height=palette.height, format=palette.format, time_base=TICK
        )
        pictures.link_to(draw, 0, 0)
        colours.link_to(draw, 0, 1)
        draw.link_to(graph.add("buffersink"))
        graph.configure()
        palette.pts = 0
        colours.push(palette)
        colours.push(None)
        for picture in self._decoded():
            pictures.push(picture)
            yield graph.vpull()

    def _source(self, graph: Graph) -> av.filter.context.FilterContext:
        return graph.add_buffer(
            width=self._clip.width,
            height=self._clip.height,
            format=VideoFormat("bgra" if self._clip.alpha else "bgr0"),
            time_base=TICK,
        )

    def _decoded(self) -> Iterator[VideoFrame]:
        for number, picture in enumerate(
            picture for chunk in self._chunks for picture in _decoded(chunk, self._clip)
        ):
            picture.pts, picture.time_base = number, TICK
            yield picture


def _decoded(chunk: Segment, clip: Clip) -> Iterator[VideoFrame]:
    decoder = av.CodecContext.create("ffv1", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = chunk.header
    decoder.width, decoder.height = clip.width, clip.height
    decoder.thread_count = 1
    for packet in chunk.packets():
        yield from decoder.decode(padded_packet(packet.data))
    yield from decoder.decode(None)


def _add_stream(output: OutputContainer, clip: Clip) -> VideoStream:
    stream = output.add_stream("gif", rate=round(1 / TICK))
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = clip.width, clip.height, "pal8"
    context.time_base = TICK
    return stream


def _mux(
    output: OutputContainer,
    stream: VideoStream,
    picture: VideoFrame | None,
    spans: dict[int, int],
) -> None:
    for packet in stream.encode(picture):
        if packet.pts is not None:
            # The encoder does not know how long the last frame lasts.
            packet.duration = spans[packet.pts]
        output.mux_one(packet)


def _ticks(times: Sequence[FrameTime], time_base: Fraction) -> list[int]:
    """When each frame is shown, from 0 and always growing, and when the last one ends."""
    start, ticks = times[0].pts, list[int]()
    ends = times[-1].pts + times[-1].duration
    for moment in (*(frame.pts for frame in times), ends):
        tick = round((moment - start) * time_base / TICK)
        ticks.append(max(tick, ticks[-1] + 1) if ticks else tick)
    return ticks
