"""Small files of all kinds, whose content is known: for ``formats.py``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import cycle, product
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet

WIDTH, HEIGHT, FRAMES, FLASH = 208, 80, 50, 25
RED, BLUE = (190, 50, 50), (50, 70, 190)
STYLES = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Underline, Alignment
Style: Default,Arial,16,&Hffffff,0,0,0,2

[Events]
Format: Layer, Start, End, Style, Text
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One input, and the output that is made of it."""

    suffix: str
    video: str
    sound: str
    layout: str
    sample_rate: int
    rate: Fraction = Fraction(25)
    variable: bool = False
    subtitles: str = ""
    turn: int = 0
    aspect: Fraction = Fraction(1)
    cover: bool = False
    titles: bool = False
    chapters: bool = False
    output: str = ".mp4"

    @property
    def name(self) -> str:
        """What is in it, for a table."""
        flags = ("variable", "cover", "titles", "chapters")
        extras = [self.subtitles, *(name for name in flags if getattr(self, name))]
        if self.turn:
            extras.append(f"turned by {self.turn}")
        if self.aspect != 1:
            extras.append(f"aspect {self.aspect}")
        sound = f"{self.sound} {self.layout} {self.sample_rate}" if self.sound else "no sound"
        what = ", ".join(filter(None, [self.video, f"{float(self.rate):.4g}/s", sound, *extras]))
        return f"{self.suffix} ({what}) -> {self.output}"

    @property
    def times(self) -> list[Fraction]:
        """When its frames are shown."""
        if not self.variable:
            return [number / self.rate for number in range(FRAMES)]
        return [Fraction(number * 40 + (number % 3) * 10, 1000) for number in range(FRAMES)]


# Encoder, layout and rate.
_SOUNDS = {
    ".mp4": "aac stereo 44100, libmp3lame mono 48000, ac3 5.1(side) 48000, libopus stereo 48000,"
    " flac stereo 96000, alac stereo 44100",
    ".mov": "pcm_s16le mono 192000, pcm_s24be 5.1(side) 48000, aac 7.1 48000, pcm_alaw mono 8000,"
    " alac stereo 88200",
    ".mkv": "pcm_u8 mono 6000, flac 6.1 48000, tta stereo 96000, eac3 5.1(side) 48000,"
    " mp2 stereo 32000, pcm_f32le quad 48000, wavpack stereo 44100, libopus 5.1 48000",
    ".webm": "libopus stereo 48000, libopus mono 24000",
    ".avi": "pcm_s16le stereo 44100, libmp3lame stereo 44100, adpcm_ms mono 22050,"
    " pcm_mulaw mono 8000, ac3 stereo 48000",
    ".ts": "mp2 stereo 48000, aac stereo 44100, ac3 5.1(side) 48000, libopus stereo 48000",
    ".mpg": "mp2 stereo 48000, ac3 stereo 44100",
    ".flv": "aac stereo 44100, adpcm_swf mono 11025, libmp3lame mono 22050",
    ".asf": "wmav2 stereo 44100, wmav1 mono 22050",
    ".mxf": "pcm_s16le stereo 48000, pcm_s24le mono 48000",
    ".nut": "pcm_s16be stereo 48000, flac mono 16000",
    ".gif": "",
}
_VIDEOS = {
    ".mp4": ("libx264", "libx265", "mpeg4", "libvpx-vp9"),
    ".mov": ("libx264", "prores_ks", "mjpeg"),
    ".mkv": ("libx264", "ffv1", "libvpx-vp9", "mpeg2video"),
    ".webm": ("libvpx-vp9", "libvpx"),
    ".avi": ("mpeg4", "libx264", "mjpeg"),
    ".ts": ("libx264", "mpeg2video"),
    ".mpg": ("mpeg2video", "mpeg1video"),
    ".flv": ("flv", "libx264"),
    ".asf": ("wmv2", "mpeg4"),
    ".mxf": ("mpeg2video", "libx264"),
    ".nut": ("libx264", "ffv1"),
    ".gif": ("gif",),
}
_SUBTITLES = {".mp4": ("", "mov_text"), ".mov": ("", "mov_text"), ".mkv": ("", "subrip", "ass")}
_FIXED_RATE = {".mxf", ".mpg", ".ts", ".flv", ".asf", ".avi", ".gif"}


def cases() -> list[Case]:
    """Every video with every sound of a container; the rest takes turns."""
    outputs = cycle((".mp4", ".mkv", ".webm", ".mov", ".mp4", ".mkv"))
    rates = cycle((Fraction(25), Fraction(30000, 1001), Fraction(25), Fraction(50), Fraction(24)))
    extras: Iterator[dict[str, Any]] = cycle(
        (
            {"titles": True},
            {"turn": 90},
            {"aspect": Fraction(4, 3)},
            {"variable": True},
            {"cover": True},
            {"chapters": True, "titles": True},
            {},
            {"turn": 180},
            {"turn": 270},
        )
    )
    found: list[Case] = []
    for suffix, videos in _VIDEOS.items():
        texts = cycle(_SUBTITLES.get(suffix, ("",)))
        for video, described in product(videos, _SOUNDS[suffix].split(",")):
            sound, layout, sample_rate = described.split() or ("", "", "0")
            case = Case(suffix, video, sound, layout, int(sample_rate), next(rates))
            case = replace(case, subtitles=next(texts), output=next(outputs))
            found.append(_possible(replace(case, **next(extras))))
            found.append(_possible(replace(case, **next(extras), output=next(outputs))))
    return found


def _possible(case: Case) -> Case:
    """The case without what its container or codec cannot have."""
    if case.suffix in _FIXED_RATE or case.video in ("mpeg2video", "mpeg1video", "mpeg4"):
        case = replace(case, variable=False, rate=Fraction(25))
    if case.suffix not in (".mp4", ".mov"):
        case = replace(case, turn=0, cover=False)
    if case.suffix == ".mov":
        case = replace(case, cover=False)
    if case.suffix not in (".mp4", ".mov", ".mkv"):
        case = replace(case, chapters=False)
    if case.suffix not in (".mp4", ".mov") or case.video in ("mjpeg", "libvpx-vp9"):
        case = replace(case, aspect=Fraction(1))
    return case


def upright(number: int) -> npt.NDArray[np.uint8]:
    """Frame ``number`` as it should be seen: a bar that moves, two patches, and a flash."""
    image = np.full((HEIGHT, WIDTH, 3), 230 if FLASH <= number < FLASH + 3 else 110, np.uint8)
    image[:24, :64], image[-24:, -64:] = RED, BLUE
    image[32:48] = 20
    image[32:48, 4 * number : 4 * number + 8] = 235
    return image


def write(case: Case, path: Path) -> None:
    """Write the input of a case."""
    with av.open(str(path), "w") as container:
        video = _video_stream(container, case)
        sound = _sound_stream(container, case) if case.sound else None
        text: Any = container.add_stream(case.subtitles) if case.subtitles else None
        if text is not None:
            text.codec_context.subtitle_header = STYLES
        cover = container.add_stream("png", rate=25) if case.cover else None
        if cover is not None:
            cover.width, cover.height, cover.pix_fmt = 32, 32, "rgb24"
            cover.disposition = Disposition.attached_pic
        if case.titles:
            container.metadata["title"] = "A title"
            (sound or video).metadata["language"] = "fre"
        if case.chapters:
            container.set_chapters([_chapter(number) for number in range(2)])
        for packet in sorted(_packets(case, video, sound, text, cover), key=_seconds):
            container.mux(packet)


def _chapter(number: int) -> Any:
    times = {"start": 1000 * number, "end": 1000 * number + 1000}
    titles = {"title": f"part {number}"}
    return {"id": number, **times, "time_base": Fraction(1, 1000), "metadata": titles}


def _seconds(packet: Any) -> Fraction:
    ticks = packet.dts if packet.dts is not None else packet.pts or 0
    return Fraction(ticks * packet.time_base)


def _video_stream(container: Any, case: Case) -> Any:
    video = container.add_stream(case.video, rate=case.rate)
    turned = case.turn in (90, 270)
    video.width, video.height = (HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT)
    formats = {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p", "gif": "rgb8"}
    video.pix_fmt = formats.get(case.video, "yuv420p")
    context = video.codec_context
    context.time_base = Fraction(1, 1000) if case.variable else 1 / case.rate
    context.sample_aspect_ratio = case.aspect
    if case.video not in ("ffv1", "libx264", "libx265", "libvpx-vp9", "gif"):
        video.bit_rate = 6_000_000
    if case.video == "libx265":
        video.options = {"x265-params": "log-level=none"}
    if case.turn:
        video.set_display_rotation(case.turn)
    return video


def _sound_stream(container: Any, case: Case) -> Any:
    sound = container.add_stream(case.sound, rate=case.sample_rate)
    sound.layout = case.layout
    sound.codec_context.time_base = Fraction(1, case.sample_rate)
    if case.sound.startswith("wma"):
        sound.bit_rate = 128_000
    return sound


def _packets(case: Case, video: Any, sound: Any, text: Any, cover: Any) -> list[Any]:
    packets: list[Any] = []
    base = video.codec_context.time_base
    for number, time in enumerate(case.times):
        # The file has it turned the other way.
        coded = np.ascontiguousarray(np.rot90(upright(number), -case.turn // 90))
        frame = av.VideoFrame.from_ndarray(coded)
        frame.pts, frame.time_base = round(time / base), base
        packets += video.encode(frame)
    packets += video.encode(None)
    if sound is not None:
        packets += _sound_packets(case, sound)
    if text is not None:
        for start, words in ((100, "one"), (500, "two")):
            line = SubtitleSet.create(f"0,0,Default,,0,0,0,,{words}".encode(), 0, 300)
            packet = text.codec_context.encode_subtitle(line)
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts, packet.dts, packet.duration = start, start, 300
            packets.append(packet)
    if cover is not None:
        packets += cover.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 77, np.uint8)))
        packets += cover.encode(None)
    return packets


def _sound_packets(case: Case, sound: Any) -> list[Any]:
    rate, channels = case.sample_rate, av.AudioLayout(case.layout).nb_channels
    samples = np.zeros(round((case.times[-1] + 1 / case.rate) * rate), np.float32)
    start = round(case.times[FLASH] * rate)
    count = rate // 50
    angle = 2 * np.pi * min(1000, rate / 8) / rate
    samples[start : start + count] = 0.7 * np.sin(np.arange(count) * angle)
    packed = np.repeat(samples[:, None], channels, axis=1).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), "flt", case.layout)
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
    return [*sound.encode(frame), *sound.encode(None)]
