"""Files with sound of any form, and where its bursts are heard in a written file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

BURST = 0.02
"""Seconds that a burst of tone lasts."""

_VIDEO = {".mxf": "mpeg2video", ".flv": "flv"}


def bursts(times: Sequence[float], seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """(samples, channels): silence with a burst on all channels at each time."""
    samples = np.zeros(round(seconds * rate), np.float32)
    tone = 0.6 * np.sin(2 * np.pi * min(1000, rate / 8) * np.arange(round(BURST * rate)) / rate)
    for time in times:
        at = round(time * rate)
        samples[at : at + len(tone)] = tone[: len(samples) - at]
    return np.repeat(samples[:, None], channels, axis=1)


def encode_sound(
    context: Any, samples: np.ndarray, rate: int, layout: str, *, start: int = 0
) -> list[Any]:
    """Packets of an open encoder of that rate, with times in samples from ``start``."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "flt", layout)
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start
    return [*context.encode(frame), *context.encode(None)]


def write_sound(
    path: Path,
    codec: str,
    samples: np.ndarray,
    rate: int,
    layout: str,
    *,
    keep: Callable[[float], bool] = lambda seconds: True,
    flash: float = 99,
    seconds: int = 2,
) -> Path:
    """Gray video, with sound of which only the packets of some times are kept.

    The video is white for a tenth of a second from ``flash`` on.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream(_VIDEO.get(path.suffix, "mpeg4"), rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(codec, rate=rate)
        sound.bit_rate = 128_000
        sound.layout, sound.codec_context.time_base = layout, Fraction(1, rate)
        packets = encode_sound(sound.codec_context, samples, rate, layout)
        for number in range(25 * seconds):
            level = 250 if 0 <= number / 25 - flash < 0.1 else 90
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8))
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for packet in packets:
            packet.stream = sound
            if keep(float(packet.pts * packet.time_base)):
                container.mux(packet)
    return path


def with_custom_layout(path: Path) -> Path:
    """A mov whose eight channels are in an order of their own, each with its burst at a time."""
    samples = np.concatenate(
        [bursts([0.2 * (channel + 1)], 2, 48_000) for channel in range(8)], axis=1
    )
    write_sound(path, "pcm_s16le", samples, 48_000, "7.1")
    data = bytearray(path.read_bytes())
    at = data.index(b"chan")
    # L R C LFE Ls Rs Rls Rrs (kAudioChannelLayoutTag_MPEG_7_1_C), and no bit map of others.
    data[at + 8 : at + 16] = (0x00800008).to_bytes(4, "big") + bytes(4)
    path.write_bytes(data)
    return path


def with_two_layouts(path: Path) -> Path:
    """AC-3 that is stereo for a second, and then 5.1."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("ac3", rate=48_000)
        sound.layout = "stereo"
        start = 0
        for layout in ("stereo", "5.1(side)"):
            context = av.CodecContext.create("ac3", "w")
            context.sample_rate, context.layout, context.format = 48_000, layout, "fltp"
            context.time_base, context.bit_rate = Fraction(1, 48_000), 384_000
            count = context.layout.nb_channels
            samples = bursts([0.5], 31 * 1536 / 48_000, 48_000, count)
            for packet in encode_sound(context, samples, 48_000, layout, start=start):
                packet.stream = sound
                container.mux(packet)
            start += 31 * 1536
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8))
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def heard(path: Path, channel: int | None = None) -> list[float]:
    """When bursts begin in the first sound of a file, in seconds, by the times of its frames."""
    found, last, start = [], -1.0, 0.0
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt")
        for decoded in container.decode(stream):
            if decoded.pts is not None:
                start = float(decoded.pts * decoded.time_base)
            for frame in resampler.resample(decoded):
                samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
                one = samples[:, channel] if channel is not None else samples.mean(axis=1)
                for at in np.flatnonzero(np.abs(one) > 0.12):
                    time = start + at / frame.sample_rate
                    if time - last > 5 * BURST:
                        found.append(time)
                    last = time
            start += decoded.samples / decoded.sample_rate
    return found


def sound_facts(path: Path) -> list[tuple[str, int, int]]:
    """Codec, channels and rate of each sound."""
    with av.open(str(path)) as container:
        return [
            (
                stream.codec_context.codec.canonical_name,
                stream.codec_context.layout.nb_channels,
                stream.codec_context.sample_rate,
            )
            for stream in container.streams.audio
        ]
