"""One image file as full-range RGB."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core import HostArray, Note
from vidstyle.core.errors import InputError
from vidstyle.imaging.color_profile import color_profile
from vidstyle.imaging.image_parts import is_cut_short, orientation, riff_chunks, turn_upright
from vidstyle.imaging.image_size import image_size
from vidstyle.stages.decode.limits import LARGEST_FRAME

_LARGEST: Final[dict[str, int]] = {"uint8": 255, "uint16": 65535}
_JPEG_START: Final = b"\xff\xd8"
# RGBA of 16 bits; a file that is larger than its image holds something else.
_BYTES_PER_PIXEL: Final = 8
_BYTES_BESIDE: Final = 64 << 20
_RAISE_LIMIT: Final = "raise decode's option max_pixels to allow it"


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """The content of an image file."""

    colors: HostArray
    """(H, W, 3) RGB in [0, 1]."""
    alpha: HostArray | None
    """(H, W) in [0, 1] where the file has it."""
    bit_depth: int
    digest: str
    """Hash of the file."""
    profile: str | None = None
    """Name of its color profile where that is not sRGB, for which it is taken."""
    animated: bool = False
    """Whether the file has more images than this one."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What of the file does not count."""
        notes = []
        if self.profile is not None:
            text = f"the color profile {self.profile} is left out: colors are read as sRGB"
            notes.append(Note("color-profile", text))
        if self.animated:
            notes.append(Note("animation", "an animation: only its first image is read"))
        return tuple(notes)


def read_image(path: Path, *, max_pixels: int = LARGEST_FRAME, advice: str = _RAISE_LIMIT) -> Image:
    """Read a file of 8 or 16 bits; it is turned upright by its EXIF orientation.

    Raises InputError where it is missing, no regular file, damaged, cut short, of floats, or
    has more than ``max_pixels`` by its header: then before memory is taken for them, and the
    message ends with ``advice``.
    """
    data = _bytes(path, max_pixels, advice)
    _check_header(path, data, max_pixels, advice)
    samples = np.ascontiguousarray(turn_upright(_decode(path, data), orientation(data)))
    kind = str(samples.dtype)
    if kind not in _LARGEST:
        raise InputError(f"{path}: has {kind} samples; convert it to 8 or 16 bits")
    unit = np.multiply(samples, np.float32(1 / _LARGEST[kind]), dtype=np.float32)
    colors, alpha = _split(unit)
    depth = 8 * samples.dtype.itemsize
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    return Image(colors, alpha, depth, digest, color_profile(data), _is_animated(data))


def _is_animated(data: bytes) -> bool:
    """By the chunk of animations in WebP (RFC 9649, 2.7.1.1)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return False
    return any(name == b"ANIM" for name, _ in riff_chunks(data))


def _bytes(path: Path, max_pixels: int, advice: str) -> bytes:
    largest = max_pixels * _BYTES_PER_PIXEL + _BYTES_BESIDE
    try:
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: is not a regular file; copy the image into one")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > largest:
        raise InputError(
            f"{path}: the file is larger than an image of {max_pixels} pixels can be; {advice}"
        )
    # OpenCV fills up what is missing at the end of a file with gray.
    if is_cut_short(data):
        raise InputError(f"{path}: the image is cut short; write or copy it again")
    return data


def _check_header(path: Path, data: bytes, max_pixels: int, advice: str) -> None:
    size = image_size(data)
    if size is None:
        raise InputError(f"{path}: not an image that can be read; replace or remove it")
    width, height = size
    if width * height > max_pixels:
        raise InputError(
            f"{path}: the image is {width}x{height}, more than {max_pixels} pixels; {advice}"
        )


def _decode(path: Path, data: bytes) -> npt.NDArray[Any]:
    # IMREAD_UNCHANGED keeps alpha but does not turn; JPEGs have orientations and no alpha.
    jpeg = data.startswith(_JPEG_START)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH if jpeg else cv2.IMREAD_UNCHANGED
    try:
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise InputError(f"{path}: the image is too large or damaged ({error.err})") from error
    if samples is None:
        raise InputError(f"{path}: not an image that can be read; replace or remove it")
    return samples


def _split(unit: HostArray) -> tuple[HostArray, HostArray | None]:
    """OpenCV's gray, BGR or BGRA as RGB and alpha."""
    if unit.ndim == 2:
        return np.repeat(unit[..., None], 3, axis=2), None
    colors = np.ascontiguousarray(unit[..., 2::-1])
    return colors, np.ascontiguousarray(unit[..., 3]) if unit.shape[2] == 4 else None
