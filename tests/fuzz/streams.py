"""Clips with sound and subtitles whose packets alone are damaged."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import av
import numpy as np
from av.subtitles.subtitle import SubtitleSet

from tests.fuzz.mutate import damaged

_STYLES = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Underline, Alignment
Style: Default,Arial,16,&Hffffff,0,0,0,2

[Events]
Format: Layer, Start, End, Style, Text
"""
_KINDS = {
    "spoken.mkv": ("ac3", "ass"),
    "spoken.mp4": ("aac", "mov_text"),
    "spoken.ts": ("mp2", ""),
    "spoken.mov": ("pcm_s16le", "mov_text"),
    "spoken.avi": ("adpcm_ms", ""),
    "spoken.webm": ("libopus", "webvtt"),
    "eac3.mkv": ("eac3", "subrip"),
    "flac.mkv": ("flac", "subrip"),
}
OUTPUTS = ("out.mp4", "out.mkv", "out.mov", "out.webm")
"""Names of outputs: each format has its own way with sound and lines."""
_RATE, _FRAMES = 48_000, 12


@cache
def spoken_clips() -> Mapping[str, bytes]:
    """Half a second of each kind, by name."""
    with TemporaryDirectory() as name:
        return {kind: _clip(Path(name) / kind, *_KINDS[kind]) for kind in _KINDS}


def with_damaged_streams(name: str, rng: Random) -> bytes:
    """A clip in which some packets of sound or subtitles are damaged, and their length stays."""
    data = bytearray(spoken_clips()[name])
    places = _places(name)
    for at, size in rng.sample(places, min(len(places), rng.choice((1, 2, 5, 20)))):
        # The bytes before a packet say how long it is and when.
        start, stop = max(0, at - rng.choice((0, 0, 4, 12))), at + size
        changed = damaged(bytes(data[start:stop]), rng)[: stop - start]
        data[start : start + len(changed)] = changed
    return bytes(data)


@cache
def _places(name: str) -> list[tuple[int, int]]:
    """Where packets other than the video's lie, and how long they are."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(spoken_clips()[name])
        with av.open(str(path)) as container:
            others = [stream for stream in container.streams if stream.type != "video"]
            return [
                (packet.pos, packet.size)
                for packet in container.demux(others)
                if packet.size and packet.pos is not None and packet.pos >= 0
            ]


def _clip(path: Path, audio: str, subtitles: str) -> bytes:
    codec = "libvpx" if path.suffix == ".webm" else "mpeg4"
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        video = container.add_stream(codec, rate=25, width=48, height=32)
        sound = container.add_stream(audio, rate=_RATE, layout="mono")
        text = container.add_stream(subtitles) if subtitles else None
        if text is not None:
            text.codec_context.subtitle_header = _STYLES
        for number in range(_FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 20 * number, np.uint8))
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        noise = np.random.default_rng(0).normal(0, 0.2, (1, _RATE * _FRAMES // 25))
        tone = av.AudioFrame.from_ndarray(noise.astype(np.float32), "flt", "mono")
        tone.sample_rate, tone.time_base, tone.pts = _RATE, Fraction(1, _RATE), 0
        container.mux([*sound.encode(tone), *sound.encode(None)])
        for start in range(0, 400, 100) if text is not None else ():
            line = SubtitleSet.create(b"0,0,Default,,0,0,0,,a line", 0, 150)
            packet = text.codec_context.encode_subtitle(line)
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts, packet.dts, packet.duration = start, start, 150
            container.mux(packet)
    return path.read_bytes()
