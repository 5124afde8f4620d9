"""The joined file: stored packets under one header, on the clip's time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.packet import PacketSideData, packet_sidedata_type_from_literal
from av.stream import Disposition
from av.video.stream import VideoStream

from vidstyle.core.errors import OutputError
from vidstyle.stages.encode.containers import Container
from vidstyle.stages.encode.encoder import EncoderSettings, configure
from vidstyle.stages.encode.routes import AvPacket
from vidstyle.stages.encode.timeline import TimedPacket
from vidstyle.stages.encode.writer import ALPHA_PLANE

_NO_RATE = Fraction(1000)
"""Told to containers of a 1 ms clock where the rate varies: then they write no default."""


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What the file says of its video before the first packet."""

    settings: EncoderSettings
    extradata: bytes
    delay: int
    """By how many frames decoding runs ahead."""
    time_base: Fraction
    rate: Fraction | None
    """None where it varies."""


@contextmanager
def opened_output(
    path: Path, container: Container, time_base: Fraction
) -> Iterator[OutputContainer]:
    """The muxer of a new file; what is left is written when it closes.

    Raises OutputError where the file cannot be written.
    """
    with failing_as_output(path):
        output = av.open(
            f"file:{path.absolute()}",
            mode="w",
            format=container.format,
            container_options=container.muxer_options(time_base),
        )
        with output:
            yield output


@contextmanager
def failing_as_output(path: Path) -> Iterator[None]:
    """Turn a full disk or a refusing muxer into the error that a user understands."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another "
            "place with -o"
        ) from error


def add_video(output: OutputContainer, header: VideoHeader, tag: str | None) -> VideoStream:
    """The video's stream, described by an encoder that is opened for its header alone."""
    settings = header.settings
    stream = output.add_stream(settings.codec.name, rate=header.rate or _NO_RATE)
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    configure(context, settings)
    if tag is not None:
        context.codec_tag = tag
    context.open()
    context.extradata = header.extradata or None
    context.reorder_depth = header.delay
    stream.time_base = header.time_base
    stream.disposition = Disposition.default
    return stream


def video_packets(
    packets: Iterable[TimedPacket], stream: VideoStream, time_base: Fraction
) -> Iterator[AvPacket]:
    """The stored packets as the muxer takes them."""
    for timed in packets:
        stored = timed.packet
        packet = padded_packet(stored.data)
        packet.stream, packet.time_base = stream, time_base
        packet.pts, packet.dts, packet.duration = timed.pts, timed.dts, timed.duration
        packet.is_keyframe = stored.keyframe
        for name, data in stored.side_data:
            packet.set_sidedata(_side_data(name, data))
        yield packet


def padded_packet(data: bytes) -> AvPacket:
    """A packet in FFmpeg's own memory: parsers read a little over the end."""
    packet: AvPacket = av.Packet(len(data))
    packet.update(data)
    return packet


def interleaved(*streams: Iterable[AvPacket]) -> Iterator[AvPacket]:
    """Packets of several streams in the order of decoding time, one of each held at most."""
    return heapq.merge(*streams, key=_seconds)


def _seconds(packet: AvPacket) -> Fraction:
    time = packet.dts if packet.dts is not None else packet.pts
    return (time or 0) * packet.time_base


def _side_data(name: str, data: bytes) -> Any:
    if name != ALPHA_PLANE:
        raise OutputError(f"a stored packet has unknown side data {name}; run again")
    kind = packet_sidedata_type_from_literal(ALPHA_PLANE)
    made: Any = PacketSideData(kind, len(data))  # type: ignore[call-arg]  # stub lacks it
    made.update(data)
    return made
