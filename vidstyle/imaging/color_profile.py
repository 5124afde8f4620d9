"""Which colors an image file means, by the profile in it."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from vidstyle.imaging.image_parts import png_chunks, riff_chunks

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_PROFILE: Final = b"ICC_PROFILE\0"
_TIFF_PROFILE: Final = 34675
_APP2, _START_OF_SCAN = 0xE2, 0xDA
# Bytes of a profile that are looked at; its description stands in front.
_MOST: Final = 1 << 20
# In a profile: the list of its tags, behind the header, and how many one of them may list.
_TAGS, _MOST_TAGS = 128, 256


def color_profile(data: bytes) -> str | None:
    """Read the name of the color profile in a PNG, JPEG, WebP or TIFF file.

    Args:
        data: The whole file.

    Returns:
        The profile's own description, or "unnamed"; None where there is none, and for sRGB, which
        is what images without one mean.

    References:
        ICC.1:2022, 7.2, 9.2.41 and annex B.
    """
    try:
        profile = _profile(data)
        if not profile:
            return None
        name = _description(profile)
    except (struct.error, zlib.error, UnicodeDecodeError):
        return None
    return None if "srgb" in name.lower() else name


def _profile(data: bytes) -> bytes:
    if data.startswith(_PNG):
        found = next((content for name, content in png_chunks(data) if name == b"iCCP"), b"")
        # A name, and the way of compression, of which there is one.
        packed = found[found.find(b"\0") + 2 :]
        return zlib.decompressobj().decompress(packed, _MOST) if found else b""
    if data.startswith(b"\xff\xd8"):
        return b"".join(_jpeg_parts(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return next((content for name, content in riff_chunks(data) if name == b"ICCP"), b"")
    return _tiff_profile(data) if data[:4] in (b"II*\0", b"MM\0*") else b""


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    """Of the segments that hold it; they are numbered, and stand in order."""
    at = 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        mark, length = struct.unpack_from(">BH", data, at + 1)
        if mark == _START_OF_SCAN:
            return
        content = data[at + 4 : at + 2 + length]
        if mark == _APP2 and content.startswith(_JPEG_PROFILE):
            yield content[len(_JPEG_PROFILE) + 2 :]
        at += 2 + length


def _tiff_profile(data: bytes) -> bytes:
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, directory)
    for number in range(count):
        tag, _, size, start = struct.unpack_from(f"{order}HHII", data, directory + 2 + 12 * number)
        if tag == _TIFF_PROFILE:
            return data[start : start + min(size, _MOST)]
    return b""


def _description(profile: bytes) -> str:
    (count,) = struct.unpack_from(">I", profile, _TAGS)
    for number in range(min(count, _MOST_TAGS)):
        name, start, size = struct.unpack_from(">4sII", profile, _TAGS + 4 + 12 * number)
        if name == b"desc":
            return _text(profile[start : start + size]) or "unnamed"
    return "unnamed"


def _text(tag: bytes) -> str:
    """The first text of a description, in the form of version 4 or 2, as one printable line."""
    if tag.startswith(b"mluc"):
        length, start = struct.unpack_from(">II", tag, 20)
        text = tag[start : start + length].decode("utf-16-be")
    else:
        (length,) = struct.unpack_from(">I", tag, 8)
        text = tag[12 : 12 + length].decode("latin-1")
    return re.sub(r"[^\w .,()+-]", "", text)[:60].strip()
