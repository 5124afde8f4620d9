"""GIF files of images without delays, of which FFmpeg's demuxer makes one image.

GIF87a has no delays. Viewers show the images one after the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SIGNS: Final = (b"GIF87a", b"GIF89a")
_HEADER: Final = 13
_EXTENSION, _IMAGE, _END, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9
# A graphic control extension (GIF89a, 23) with a delay of a tenth of a second, as FFmpeg assumes.
_DELAY: Final = bytes((_EXTENSION, _CONTROL, 4, 0, 10, 0, 0, 0))
# Bytes: larger files are animations of programs that know delays.
_LARGEST: Final = 64 << 20


def read_with_delays(path: Path) -> bytes | None:
    """A GIF with a delay before each image; None where nothing is to be changed.

    That is so of all other files, of single images, and of files that are damaged.
    """
    with path.open("rb") as file:
        if file.read(6) not in _SIGNS or path.stat().st_size > _LARGEST:
            return None
        file.seek(0)
        data = file.read()
    try:
        places = _images_without_delays(data)
    except IndexError:
        return None
    if not places:
        return None
    parts = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    return _DELAY.join(parts)


def _images_without_delays(data: bytes) -> list[int]:
    """Where images begin that no control extension stands before; none if there is one image.

    Raises IndexError where the file ends early.
    """
    at, places, images, controlled = _HEADER + _table(data[10]), list[int](), 0, False
    while data[at] != _END:
        if data[at] == _EXTENSION:
            controlled = controlled or data[at + 1] == _CONTROL
            at = _after_blocks(data, at + 2)
        elif data[at] == _IMAGE:
            images += 1
            if not controlled:
                places.append(at)
            controlled = False
            at = _after_blocks(data, at + 10 + _table(data[at + 9]) + 1)
        else:
            return []
    return places if images > 1 else []


def _table(flags: int) -> int:
    """Bytes of a color table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1
