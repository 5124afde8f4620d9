"""Portable float maps: the images of floats that flow data sets are kept in."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray

_HEADER = re.compile(rb"(P[Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\deE]{1,32})[ \t]*\r?\n")


def read_pfm(path: Path) -> HostArray:
    """A float map: (H, W, 3) where it is a color one, (H, W) where it is gray.

    The first row is the top one, although files begin with the bottom one. The sign of the
    header's scale gives the byte order, negative for little endian; its size changes nothing.
    Raises InputError where the file cannot be read, is of another kind, or is not as long as
    its header says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    header = _HEADER.match(content)
    if header is None:
        raise InputError(f"{path} is not a PFM file: its header is of another form")
    width, height = int(header[2]), int(header[3])
    shape = (height, width, 3) if header[1] == b"PF" else (height, width)
    order = _byte_order(path, header[4])
    found, wanted = len(content) - header.end(), 4 * math.prod(shape)
    if found != wanted or not wanted:
        form = f"{width}x{height} pixels take {wanted} bytes, and {found} follow its header"
        raise InputError(f"{path} is damaged: {form}; fetch it again")
    rows = np.frombuffer(content, f"{order}f4", offset=header.end()).reshape(shape)
    return np.ascontiguousarray(rows[::-1], np.float32)


def _byte_order(path: Path, scale: bytes) -> str:
    try:
        number = float(scale)
    except ValueError:
        number = 0.0
    if not number or not math.isfinite(number):
        raise InputError(f"{path} is damaged: its scale is {scale.decode()}; fetch it again")
    return "<" if number < 0 else ">"
