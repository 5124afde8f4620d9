"""How large an image file says it is, read before anything is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final

Size = tuple[int, int]


def image_size(data: bytes) -> Size | None:
    """Read width and height in pixels from the header of an image file.

    Args:
        data: The whole file.

    Returns:
        None where it is no PNG, JPEG, BMP, TIFF, WebP or PNM, or its header is damaged.
    """
    for start, read in _FORMATS.items():
        if re.match(start, data, re.DOTALL):
            try:
                return read(data)
            except (struct.error, ValueError, KeyError):
                return None
    return None


def _png(data: bytes) -> Size:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg(data: bytes) -> Size:
    """From the frame header (ITU-T T.81, B.2.2), past the segments before it."""
    position = 2
    while True:
        mark, length = struct.unpack_from(">xBH", data, position)
        if mark == 0xFF:  # a fill byte
            position += 1
        elif mark in _FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        else:
            position += 2 + length


def _bmp(data: bytes) -> Size:
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    # A height below 0 says that the rows go downwards.
    return abs(width), abs(height)


def _tiff(data: bytes) -> Size:
    """From the first directory of a TIFF 6.0 or BigTIFF file."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    (position,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, position)
    entries, entry = position + (8 if big else 2), 20 if big else 12
    found: dict[int, int] = {}
    for number in range(min(count, _MOST_TAGS)):
        tag, kind = struct.unpack_from(order + "HH", data, entries + number * entry)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            at = entries + number * entry + (12 if big else 8)
            (found[tag],) = struct.unpack_from(order + _TIFF_WHOLE[kind], data, at)
    if len(found) < 2:
        raise ValueError("a TIFF directory without sizes")
    return found[_TIFF_WIDTH], found[_TIFF_HEIGHT]


def _webp(data: bytes) -> Size:
    """From the first chunk: plain, lossless, or extended (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    (low_width, high_width, low_height, high_height) = struct.unpack_from("<HBHB", data, 24)
    return (high_width << 16 | low_width) + 1, (high_height << 16 | low_height) + 1


def _pnm(data: bytes) -> Size:
    sizes = re.match(rb"P[1-6](?:\s+|#[^\n]*\n)+(\d{1,9})(?:\s+|#[^\n]*\n)+(\d{1,9})\s", data)
    if sizes is None:
        raise ValueError("a PNM file without sizes")
    return int(sizes[1]), int(sizes[2])


_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MOST_TAGS: Final = 512
_TIFF_WIDTH: Final = 256
_TIFF_HEIGHT: Final = 257
_TIFF_WHOLE: Final = {3: "H", 4: "I", 16: "Q"}
_FORMATS: Final[dict[bytes, Callable[[bytes], Size]]] = {
    rb"\x89PNG\r\n\x1a\n": _png,
    rb"\xff\xd8": _jpeg,
    rb"BM": _bmp,
    rb"II[*+]\0|MM\0[*+]": _tiff,
    rb"RIFF....WEBP": _webp,
    rb"P[1-6]\s": _pnm,
}
