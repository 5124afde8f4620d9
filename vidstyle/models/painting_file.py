"""Reading a painting to learn a style from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.core.paths import is_file

_LARGEST_FILE: Final = 1 << 30
_TOP: Final = {"uint8": 255, "uint16": 65535}


def check_painting(path: Path) -> None:
    """Raise InputError where there is no file of a size that a painting can have."""
    if not is_file(path):
        raise InputError(f"the painting {path} is not there, or is not a file")
    if path.stat().st_size > _LARGEST_FILE:
        raise InputError(
            f"{path} is larger than {_LARGEST_FILE >> 30} GiB; make the painting smaller"
        )


def read_painting(path: Path) -> HostArray:
    """(H, W, 3) RGB in [0, 1], upright as its EXIF says; opacity is passed over.

    Raises InputError where it is missing, damaged, or not of 8 or 16 bits.
    """
    check_painting(path)
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    # imdecode raises for an empty buffer and for more pixels than it takes.
    try:
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH
        picture = cv2.imdecode(content, flags) if content.size else None
    except cv2.error:
        picture = None
    if picture is None or str(picture.dtype) not in _TOP:
        raise InputError(f"{path} is not a picture that can be read: name a painting")
    return np.multiply(picture, np.float32(1 / _TOP[str(picture.dtype)]), dtype=np.float32)
