"""Where an image file's image ends, and which way up it is, read before anything is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

ArrayT = TypeVar("ArrayT", bound=npt.NDArray[np.generic])

_PNG: Final = b"\x89PNG\r\n\x1a\n"
# Behind 0xff within coded data stand 0 or a restart mark (ITU-T T.81, B.1.1.5 and B.1.1.2).
_SCAN_END: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)
_END, _START_OF_SCAN = 0xD9, 0xDA
_EXIF: Final = b"Exif\0\0"
_ORIENTATION: Final = 0x0112


def is_cut_short(data: bytes) -> bool:
    """Check whether a PNG or JPEG file ends before its image does.

    What follows may be anything: phones put a video behind a JPEG.

    Args:
        data: The whole file.

    Returns:
        False for other formats, too.

    References:
        ITU-T T.81, B.1 and B.2.
    """
    if data.startswith(_PNG):
        return all(name != b"IEND" for name, _ in png_chunks(data))
    return data.startswith(b"\xff\xd8") and not _ends(data)


def orientation(data: bytes) -> int:
    """Read the orientation that EXIF gives to a PNG or WebP file.

    Args:
        data: The whole file.

    Returns:
        1, upright, to 8; 1 for other formats, since decoders turn JPEG and TIFF files themselves.

    References:
        CIPA DC-008 (EXIF 2.32), 4.6.5.
    """
    if data.startswith(_PNG):
        chunks = png_chunks(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        chunks = riff_chunks(data)
    else:
        return 1
    for name, content in chunks:
        if name in (b"eXIf", b"EXIF"):
            try:
                return _orientation_in(content.removeprefix(_EXIF))
            except struct.error:
                return 1
    return 1


def turn_upright(image: ArrayT, orientation: int) -> ArrayT:
    """Turn and mirror an image as its orientation says.

    Args:
        image: (H, W) or (H, W, C).
        orientation: 1 to 8.

    Returns:
        A view of it, of (W, H) from 5 on.

    References:
        CIPA DC-008 (EXIF 2.32), 4.6.5.
    """
    turned = image
    if orientation in (5, 6, 7, 8):
        # Rows become columns.
        turned = turned.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]  # type: ignore[assignment]
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]  # type: ignore[assignment]
    return turned


def _ends(data: bytes) -> bool:
    """Whether a JPEG's segments and scans lead to its end mark."""
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            return False
        code = data[at + 1]
        if code == _END:
            return True
        if code == 0xFF:
            at += 1
        elif code == 0x01 or 0xD0 <= code <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
            if code == _START_OF_SCAN:
                found = _SCAN_END.search(data, at)
                if found is None:
                    return False
                at = found.end() - 2
    return False


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Take a PNG file apart.

    Args:
        data: The whole file.

    Yields:
        Name and content of each chunk.
    """
    at = len(_PNG)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Take a RIFF file, such as WebP, apart.

    Args:
        data: The whole file.

    Yields:
        Name and content of each chunk.
    """
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _orientation_in(exif: bytes) -> int:
    """From the first directory of a TIFF structure. Raises struct.error where it is damaged."""
    order = "<" if exif[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(f"{order}I", exif, 4)
    (count,) = struct.unpack_from(f"{order}H", exif, directory)
    for number in range(count):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, directory + 2 + 12 * number)
        if tag == _ORIENTATION:
            return value if 1 <= value <= 8 else 1
    return 1
