"""GIF at the end of a run: the whole clip shares one palette, so that chunks cannot be joined.

Two passes over the lossless chunks: one collects colors, one converts to them. A single pass
would keep every frame in memory until the last has been seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
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

from vidstyle.core import Clip, FrameTime, Note, Segment
from vidstyle.imaging.animation import read_repeats
from vidstyle.stages.encode.containers import CONTAINERS
from vidstyle.stages.encode.output_file import (
    explain_muxer_errors,
    open_output,
    padded_packet,
    verify_file,
)

# Seconds that delays in a GIF are counted in.
TICK: Final = Fraction(1, 100)
# Codes by which lossy opacity may miss all or nothing.
_NEARLY: Final = 8
# Ticks. Browsers show anything shorter for a tenth of a second.
_SHORTEST: Final = 2


def write_gif(
    chunks: Sequence[Segment],
    times: Sequence[FrameTime],
    clip: Clip,
    path: Path,
    *,
    original: Path,
) -> list[Note]:
    """Write ``path`` from chunks of ffv1 and verify it. Raises OutputError.

    The first frame is at 0; opacity is all or nothing, split at half. It repeats as often as
    ``original`` does if that is an animation, else without end.
    """
    repeats = read_repeats(original)
    options = {"loop": str(-1 if repeats == 0 else repeats or 0)}
    container = replace(CONTAINERS[".gif"], options=options)
    ticks = _ticks(times, clip.time_base)
    spans = {tick: after - tick for tick, after in pairwise(ticks)}
    frames = _StoredFrames(chunks, clip)
    with explain_muxer_errors(path):
        palette = frames.palette()
        with open_output(path, container, TICK) as output:
            stream = _add_stream(output, clip)
            for tick, image in zip(ticks, frames.in_colors(palette), strict=False):
                image.pts, image.time_base = tick, TICK
                _mux(output, stream, image, spans)
            _mux(output, stream, None, spans)
    verify_file(path, [tick * TICK for tick in ticks[:-1]], (clip.width, clip.height))
    notes = []
    if frames.half_transparent:
        text = "a GIF is opaque or transparent, nothing between: split at half in"
        notes.append(Note("alpha", f"{text} {frames.half_transparent} of {len(times)} frames"))
    if min(spans.values()) < _SHORTEST:
        notes.append(Note("gif-rate", "players slow a GIF down above 50 frames a second"))
    return notes


class _StoredFrames:
    """The frames of the stored chunks, decoded again on each pass."""

    def __init__(self, chunks: Sequence[Segment], clip: Clip) -> None:
        self._chunks, self._clip = chunks, clip
        self.half_transparent = 0
        """Frames in which opacity is neither all nor nothing; known behind ``palette``."""

    def palette(self) -> VideoFrame:
        """The 256 colors that fit the whole clip best."""
        graph = Graph()
        nodes = [self._source(graph), graph.add("palettegen"), graph.add("buffersink")]
        graph.link_nodes(*nodes).configure()
        for image in self._decoded():
            self.half_transparent += _is_half_transparent(image)
            graph.vpush(image)
        graph.vpush(None)
        return graph.vpull()

    def in_colors(self, palette: VideoFrame) -> Iterator[VideoFrame]:
        """The frames in those colors."""
        graph = Graph()
        frames, convert = self._source(graph), graph.add("paletteuse", "alpha_threshold=128")
        colors = graph.add_buffer(
            width=palette.width, height=palette.height, format=palette.format, time_base=TICK
        )
        frames.link_to(convert, 0, 0)
        colors.link_to(convert, 0, 1)
        convert.link_to(graph.add("buffersink"))
        graph.configure()
        palette.pts = 0
        colors.push(palette)
        colors.push(None)
        for image in self._decoded():
            frames.push(image)
            yield graph.vpull()

    def _source(self, graph: Graph) -> av.filter.context.FilterContext:
        return graph.add_buffer(
            width=self._clip.width,
            height=self._clip.height,
            format=VideoFormat("bgra" if self._clip.alpha else "bgr0"),
            time_base=TICK,
        )

    def _decoded(self) -> Iterator[VideoFrame]:
        for number, image in enumerate(
            image for chunk in self._chunks for image in _decode_chunk(chunk, self._clip)
        ):
            image.pts, image.time_base = number, TICK
            yield image


def _is_half_transparent(image: VideoFrame) -> bool:
    if image.format.name != "bgra":
        return False
    opacity = image.to_ndarray()[..., 3]
    return bool(((opacity >= _NEARLY) & (opacity <= 255 - _NEARLY)).any())


def _decode_chunk(chunk: Segment, clip: Clip) -> Iterator[VideoFrame]:
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
    image: VideoFrame | None,
    spans: dict[int, int],
) -> None:
    for packet in stream.encode(image):
        if packet.pts is not None:
            # The encoder does not know how long the last frame lasts.
            packet.duration = spans[packet.pts]
        output.mux_one(packet)


def _ticks(times: Sequence[FrameTime], time_base: Fraction) -> list[int]:
    """When each frame is shown, from 0 and always growing, and when the last one ends."""
    start, ticks = times[0].pts, list[int]()
    ends = times[-1].pts + times[-1].duration
    for time in (*(frame.pts for frame in times), ends):
        tick = round((time - start) * time_base / TICK)
        ticks.append(max(tick, ticks[-1] + 1) if ticks else tick)
    return ticks
