"""What a container cuts off the coded frames, which FFmpeg's decoders leave to players.

Matroska: the elements PixelCropTop and others of a track (RFC 9559, 5.1.4.1.28). QuickTime and
mp4: the clean aperture, ``clap``, of a sample description (ISO/IEC 14496-12, 12.1.4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from av.video.stream import VideoStream

from vidstyle.media.piped_video import PipedVideo


@dataclass(frozen=True, slots=True)
class Crop:
    """Pixels that are cut off each side of the coded frame."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of what is left."""
        return width - self.left - self.right, height - self.top - self.bottom

    def fits(self, width: int, height: int) -> bool:
        """Whether anything is left of a frame of that size."""
        return min(self.size(width, height)) >= 1


class _Element(NamedTuple):
    name: int | bytes
    start: int
    end: int


# Bytes: headers beyond this are damaged, or no headers.
_LARGEST_HEADER: Final = 64 << 20
_SEGMENT: Final = 0x18538067
_CLUSTER: Final = 0x1F43B675
_TRACKS: Final = 0x1654AE6B
_TRACK: Final = 0xAE
_VIDEO: Final = 0xE0
_CROPS: Final = {0x54CC: "left", 0x54BB: "top", 0x54DD: "right", 0x54AA: "bottom"}
# Bytes of a sample description before the boxes in it.
_VISUAL_ENTRY: Final = 78


def read_crop(path: Path | PipedVideo, stream: VideoStream) -> Crop:
    """What the container cuts off a stream's frames; nothing where it does not say, or not well."""
    names = stream.container.format.name.split(",")
    width, height = stream.codec_context.width, stream.codec_context.height
    try:
        with path.head() if isinstance(path, PipedVideo) else path.open("rb") as file:
            if "matroska" in names:
                crop = _matroska(file, stream.index)
            elif "mp4" in names:
                crop = _clean_aperture(file, stream.index, width, height)
            else:
                return Crop()
    except (OSError, struct.error, ValueError, ZeroDivisionError, IndexError):
        return Crop()
    return crop if crop.fits(width, height) else Crop()


def _matroska(file: BinaryIO, index: int) -> Crop:
    end = file.seek(0, 2)
    for segment in _ebml(file, 0, end):
        if segment.name != _SEGMENT:
            continue
        for part in _ebml(file, segment.start, min(segment.end, end)):
            if part.name == _CLUSTER:
                break
            if part.name == _TRACKS:
                tracks = [t for t in _ebml(file, part.start, part.end) if t.name == _TRACK]
                return _track_crop(file, tracks[index])
    return Crop()


def _track_crop(file: BinaryIO, track: _Element) -> Crop:
    found: dict[str, int] = {}
    for video in _ebml(file, track.start, track.end):
        if video.name == _VIDEO:
            for element in _ebml(file, video.start, video.end):
                side = _CROPS.get(element.name) if isinstance(element.name, int) else None
                if side is not None:
                    file.seek(element.start)
                    found[side] = int.from_bytes(file.read(min(8, element.end - element.start)))
    return Crop(**found)


def _ebml(file: BinaryIO, start: int, end: int) -> Iterator[_Element]:
    """The elements between two places (RFC 8794)."""
    at = start
    while at < end:
        file.seek(at)
        head = file.read(12)
        name_length = 9 - head[0].bit_length()
        size_length = 9 - head[name_length].bit_length()
        if name_length > 4 or size_length > 8:
            raise ValueError("no element")
        name = int.from_bytes(head[:name_length])
        body = at + name_length + size_length
        size = int.from_bytes(head[name_length : name_length + size_length])
        size &= (1 << 7 * size_length) - 1
        unknown = size == (1 << 7 * size_length) - 1
        yield _Element(name, body, end if unknown else body + size)
        at = end if unknown else body + size


def _clean_aperture(file: BinaryIO, index: int, width: int, height: int) -> Crop:
    end = file.seek(0, 2)
    (movie,) = _boxes(file, 0, end, b"moov")
    track = _boxes(file, movie.start, movie.end, b"trak")[index]
    for name in (b"mdia", b"minf", b"stbl", b"stsd"):
        (track,) = _boxes(file, track.start, track.end, name)
    # A version and a count stand before the descriptions; the first one is meant.
    entry = _boxes(file, track.start + 8, track.end)[0]
    found = _boxes(file, entry.start + _VISUAL_ENTRY, entry.end, b"clap")
    if not found:
        return Crop()
    file.seek(found[0].start)
    values = struct.unpack(">8i", file.read(32))
    wide, high, right, down = (Fraction(values[n], values[n + 1]) for n in range(0, 8, 2))
    # The aperture's center lies at an offset from that of the frame.
    left, top = round((width - wide) / 2 + right), round((height - high) / 2 + down)
    crop = Crop(left, top, width - left - round(wide), height - top - round(high))
    return crop if min(crop.left, crop.top, crop.right, crop.bottom) >= 0 else Crop()


def _boxes(file: BinaryIO, start: int, end: int, name: bytes | None = None) -> list[_Element]:
    """The boxes between two places, or those of a name."""
    found, at = [], start
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        body = at + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            body += 8
        stop = end if size == 0 else at + size
        if not body <= stop <= end or (kind != b"mdat" and stop - body > _LARGEST_HEADER):
            break
        if name in (None, kind):
            found.append(_Element(kind, body, stop))
        at = stop
    return found
