"""Files with a cover image, titles, lines of text, or a number of repeats."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet
from PIL import Image

from tests.stages.encode.sound_files import encode_sound
from tests.stages.encode.test_other_streams import STYLES

GRAY = [np.full((64, 96, 3), 90, np.uint8)] * 25


def write_with_cover(path: Path) -> tuple[Path, bytes]:
    """Gray video with a cover image; returns its bytes, too."""
    cover = cv2.imencode(".png", np.arange(32 * 32, dtype=np.uint8).reshape(32, 32))[1].tobytes()
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        image = container.add_stream("png", rate=25)
        image.width, image.height, image.pix_fmt = 32, 32, "gray"
        image.disposition = Disposition.attached_pic
        for number, gray in enumerate(GRAY):
            frame = av.VideoFrame.from_ndarray(gray)
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
        packet = av.Packet(cover)
        packet.stream, packet.pts, packet.dts, packet.time_base = image, 0, 0, Fraction(1, 25)
        container.mux(packet)
    return path, cover


def write_with_titles(
    path: Path, container_tags: dict[str, str], stream_tags: dict[str, str], *, frames: int = 25
) -> Path:
    """Gray video with titles of its own and of its stream."""
    with av.open(str(path), "w", container_options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(container_tags)
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.metadata.update(stream_tags)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(GRAY[0])
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


PALETTE = b"palette: " + b", ".join(b"%06x" % (0x111111 * n) for n in range(16)) + b"\n"
IMAGE_LINE = bytes(
    [
        # Bytes in all, where what is to be done is listed, and two lines of pixels.
        *(0, 28, 0, 8, 0, 0, 0, 0),
        # At once, and nothing follows: show; which colors; how opaque; the end.
        *(0, 0, 0, 8, 0x01, 0x03, 0x32, 0x10, 0x04, 0xFF, 0xF0, 0xFF),
    ]
).ljust(28, b"\xff")
"""A subtitle of a DVD."""


def write_with_sounds(path: Path, languages: list[str], marks: list[Disposition]) -> Path:
    """Gray video with several sounds, each of a language and for a purpose."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sounds = []
        for language, mark in zip(languages, marks, strict=True):
            sound = container.add_stream("aac", rate=48_000)
            sound.layout, sound.disposition = "mono", mark
            sound.codec_context.time_base = Fraction(1, 48_000)
            sound.metadata["language"] = language
            sounds.append(sound)
        silence = np.zeros((48_000, 1), np.float32)
        for sound in sounds:
            for packet in encode_sound(sound.codec_context, silence, 48_000, "mono"):
                packet.stream = sound
                container.mux(packet)
        for number, gray in enumerate(GRAY):
            frame = av.VideoFrame.from_ndarray(gray)
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def write_image_lines(path: Path) -> Path:
    """Gray video with two subtitles that are images."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        lines = container.add_stream("dvdsub")
        lines.codec_context.extradata = PALETTE
        for number, gray in enumerate(GRAY):
            frame = av.VideoFrame.from_ndarray(gray)
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for start in (200, 600):
            packet = av.Packet(IMAGE_LINE)
            packet.stream, packet.time_base = lines, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = 300
            container.mux(packet)
    return path


def write_with_data(path: Path) -> Path:
    """Gray video with a stream of bytes that mean something to one program alone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        data = container.add_data_stream("bin_data")
        for number, gray in enumerate(GRAY):
            frame = av.VideoFrame.from_ndarray(gray)
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
        packet = av.Packet(b"of my own")
        packet.stream, packet.time_base, packet.pts, packet.dts = data, Fraction(1, 25), 5, 5
        container.mux(packet)
    return path


def write_animation(path: Path, repeats: int | None) -> Path:
    """Four frames that are shown again so many times; without a number where it is None."""
    frames = [Image.fromarray(np.full((64, 96, 3), 60 * n, np.uint8)) for n in range(4)]
    loop = {} if repeats is None else {"loop": repeats}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, **loop)
    return path


def write_lines(path: Path, lines: list[tuple[int, int, str]]) -> Path:
    """Gray video with ASS lines: start and end in ms, and text."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        text = container.add_stream("ass")
        text.codec_context.subtitle_header = STYLES
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8))
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for start, end, words in lines:
            line = SubtitleSet.create(f"0,0,Default,,0,0,0,,{words}".encode(), 0, end - start)
            packet = text.codec_context.encode_subtitle(line)
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = end - start
            container.mux(packet)
    return path
