"""Reading the image that a style is learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.core.paths import is_file
from vidstyle.imaging.image_size import image_size

_LARGEST_FILE: Final = 1 << 30
_MOST_PIXELS: Final = 8192 * 8192
"""As many as a frame of a clip may have: 768 MiB as float32."""
_TOP: Final = {"uint8": 255, "uint16": 65535}


def check_style_image(path: Path) -> None:
    """Check the header of a style image; nothing is decoded.

    Args:
        path: An image file.

    Raises:
        InputError: There is no image, or one that is too large.
    """
    style_image_pixels(path)


def style_image_pixels(path: Path) -> int:
    """Count the pixels that a style image has by its header.

    Args:
        path: An image file.

    Returns:
        Their number.

    Raises:
        InputError: As ``check_style_image`` raises it.
    """
    return _promised(path, _content(path))


def read_style_image(path: Path) -> HostArray:
    """Read a style image, upright as its EXIF says; opacity is ignored.

    Args:
        path: An image file.

    Returns:
        (H, W, 3) RGB in [0, 1].

    Raises:
        InputError: It is missing, damaged, not of 8 or 16 bits, or by its header of more than
            8192x8192 pixels, which is known before memory is taken for them.
    """
    content = _content(path)
    _promised(path, content)
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH
    # imdecode raises for what its reader does not get through.
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None or str(image.dtype) not in _TOP:
        raise _unreadable(path)
    return np.multiply(image, np.float32(1 / _TOP[str(image.dtype)]), dtype=np.float32)


def _content(path: Path) -> bytes:
    if not is_file(path):
        raise InputError(f"the style image {path} is not there, or is not a file")
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"{path} is larger than {_LARGEST_FILE >> 30} GiB; make it smaller")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _promised(path: Path, content: bytes) -> int:
    """Pixels by the header; not more than the most."""
    size = image_size(content)
    if size is None:
        raise _unreadable(path)
    width, height = size
    if width * height > _MOST_PIXELS:
        raise InputError(
            f"{path} is {width}x{height}, more than {_MOST_PIXELS} pixels; make it smaller"
        )
    return width * height


def _unreadable(path: Path) -> InputError:
    return InputError(f"{path} is not an image that can be read: name a style image")
