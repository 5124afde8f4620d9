"""The image files that can be written, by their suffix, and what each does not store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core import Note
from vidstyle.core.errors import OutputError


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A kind of image file."""

    bits: int
    """Bits of a sample that it stores at most."""
    alpha: bool
    """Whether it stores transparency."""
    lossy: bool = False
    """Whether ``quality`` counts."""


_JPEG: Final = ImageFormat(8, alpha=False, lossy=True)
_TIFF: Final = ImageFormat(16, alpha=True)

IMAGE_FORMATS: Final[dict[str, ImageFormat]] = {
    ".png": ImageFormat(16, alpha=True),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": ImageFormat(8, alpha=True, lossy=True),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": ImageFormat(8, alpha=False),
}


def write_in_format(path: Path, png: bytes, *, quality: int) -> None:
    """Write an image in the format of the file's suffix.

    Args:
        path: A file; its suffix is one of ``IMAGE_FORMATS``.
        png: The image.
        quality: 1 to 100, where the format loses something.

    Raises:
        OutputError: The format does not take an image of that size.
        OSError: The file cannot be written.
    """
    suffix = path.suffix.lower()
    path.write_bytes(png if suffix == ".png" else _converted(png, suffix, quality, path))


def losses(path: Path, bits: int, *, alpha: bool) -> Iterator[Note]:
    """What the format of a file does not store of an image.

    Args:
        path: Its suffix is one of ``IMAGE_FORMATS``.
        bits: Of the image's samples.
        alpha: Whether the image has transparency.

    Yields:
        A note for each loss.
    """
    suffix = path.suffix.lower()
    kept = IMAGE_FORMATS[suffix]
    if bits > kept.bits:
        text = f"{suffix} stores {kept.bits} of {bits} bits; .png and .tiff keep them"
        yield Note("bits", text)
    if alpha and not kept.alpha:
        yield Note("alpha", f"{suffix} stores no transparency: shown on black; .png keeps it")


def _converted(png: bytes, suffix: str, quality: int, path: Path) -> bytes:
    kept = IMAGE_FORMATS[suffix]
    samples: npt.NDArray[Any] | None = cv2.imdecode(
        np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED
    )
    if samples is None:
        raise OutputError(f"cannot write {path}: the stored image is damaged; run again")
    if samples.ndim == 3 and samples.shape[2] == 4 and not kept.alpha:
        samples = _on_black(samples)
    if samples.dtype == np.uint16 and kept.bits == 8:
        samples = _rounded(samples / np.float32(257))
    flags = []
    if kept is _JPEG:
        # Strokes have edges between colors.
        finest = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality, *finest]
    elif kept.lossy:
        flags = [cv2.IMWRITE_WEBP_QUALITY, quality]
    try:
        encoded, data = cv2.imencode(suffix, samples, flags)
    except cv2.error:
        encoded = False
    if not encoded:
        height, width = samples.shape[:2]
        raise OutputError(f"{suffix} takes no image of {width}x{height}: name the output .png")
    return data.tobytes()


def _on_black(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    top = np.float32(np.iinfo(samples.dtype).max)
    shown = samples[..., :3] * (samples[..., 3:] / top)
    return (shown + np.float32(0.5)).astype(samples.dtype)


def _rounded(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return (values + np.float32(0.5)).astype(np.uint8)
