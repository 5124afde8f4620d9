"""How often an animated GIF or PNG repeats, which FFmpeg's demuxers do not pass on."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
# Bytes in which the number stands, well before the images.
_START: Final = 1 << 20


def read_repeats(path: Path) -> int | None:
    """Read how often an animation is shown again after its first time.

    GIF says it in the NETSCAPE 2.0 application extension, APNG in the chunk ``acTL``.

    Args:
        path: The file.

    Returns:
        The number; None for ever, and where the file is no GIF or animated PNG.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        data = file.read(_START)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _gif_repeats(data)
    at = data.find(b"acTL") if data.startswith(_PNG) else -1
    if at < 0 or at + 12 > len(data):
        return None
    (plays,) = struct.unpack_from(">I", data, at + 8)
    return plays - 1 if plays else None


def _gif_repeats(data: bytes) -> int | None:
    """From the NETSCAPE 2.0 extension; without it, once."""
    at = data.find(b"NETSCAPE2.0\x03\x01")
    if at < 0 or at + 15 > len(data):
        return 0
    (repeats,) = struct.unpack_from("<H", data, at + 13)
    return repeats or None
