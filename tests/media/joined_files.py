"""Recordings of two seconds each, joined: each part has a clock of its own."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from tests.stages.encode.sound_files import bursts, encode_sound

RATE = 48_000


def write_parts(path: Path, starts: list[float], *, codec: str = "mp2") -> Path:
    """Parts of 2 s, each from its own time on, with a flash and a burst at 1 s of each."""
    groups = [[start] for start in starts] if path.suffix == ".ts" else [starts]
    data = b""
    for group in groups:
        with av.open(str(path), "w") as container:
            video = container.add_stream("mpeg2video", rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            sound = container.add_stream(codec, rate=RATE)
            sound.layout = "mono"
            packets = []
            for start in group:
                packets += [(packet, video) for packet in _video_part(start)]
                packets += [(packet, sound) for packet in _sound_part(codec, start)]
            packets.sort(key=lambda item: item[0].dts * item[0].time_base)
            for packet, stream in packets:
                packet.stream = stream
                container.mux(packet)
        data += path.read_bytes()
    # Recordings of transmissions are joined like this.
    path.write_bytes(data)
    return path


def _video_part(start: float) -> list:
    context = av.CodecContext.create("mpeg2video", "w")
    context.width, context.height, context.pix_fmt = 64, 48, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    packets = []
    for number in range(50):
        level = 220 if 25 <= number < 30 else 40
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8))
        frame.pts, frame.time_base = number, Fraction(1, 25)
        packets += context.encode(frame)
    return _later([*packets, *context.encode(None)], start)


def _sound_part(codec: str, start: float) -> list:
    context = av.CodecContext.create(codec, "w")
    context.sample_rate, context.layout, context.format = RATE, "mono", "s16"
    context.time_base = Fraction(1, RATE)
    # A whole number of frames of mp2, a little longer than the video, as recordings are.
    samples = bursts([1.0], 84 * 1152 / RATE, RATE)
    return _later(encode_sound(context, samples, RATE, "mono"), start)


def _later(packets: list, start: float) -> list:
    for packet in packets:
        ticks = round(start / packet.time_base)
        packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
    return packets


def flashes(path: Path) -> list[float]:
    """When the images become bright."""
    with av.open(str(path)) as container:
        levels = [(f.time, f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]
    return [now for (_, before), (now, level) in pairwise(levels) if before < 128 <= level]
