"""Stills in and out: whatever depth and opacity they have, whole or not at all."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidstyle.core import Note
from vidstyle.core.errors import InputError, OutputError, UsageError
from vidstyle.core.layers import HostArray
from vidstyle.runner.storage.destination import Destination
from vidstyle.stages.decode.image_file import read_image

if TYPE_CHECKING:
    import torch

OPAQUE = (".jpg", ".jpeg")
FORMATS = (".png", *OPAQUE, ".webp", ".tif", ".tiff")
_DEEP = (".png", ".tif", ".tiff")
"""Which hold 16 bits."""
_QUALITY = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
}
_TOO_LARGE = "make it smaller"


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """An image that is stylized."""

    colors: HostArray
    """(H, W, 3) RGB in [0, 1]."""
    alpha: HostArray | None
    """(H, W) in [0, 1] where the file has it."""
    bits: int
    """Of its samples, 8 or 16."""
    notes: Sequence[Note] = ()
    """What of its file does not count."""


def read_still(path: Path, side: int) -> Still:
    """An image, upright as its EXIF says, its longer side ``side`` pixels. Raises InputError."""
    found = read_image(path, advice=_TOO_LARGE)
    height, width = _fitted(found.colors.shape[:2], side)
    if min(height, width) < 2:
        raise InputError(f"{path} is too narrow: {width}x{height} at this --size")
    alpha = None if found.alpha is None else resized(found.alpha, height, width)
    return Still(resized(found.colors, height, width), alpha, found.bit_depth, found.notes)


def read_mask(path: Path, still: Still) -> HostArray:
    """Where to stylize, (H, W) in [0, 1] at the image's size: its opacity where it has one, or how
    light it is. Raises InputError."""
    found = read_image(path, advice=_TOO_LARGE)
    white = found.colors.mean(axis=2) if found.alpha is None else found.alpha
    return resized(np.ascontiguousarray(white), *still.colors.shape[:2])


def resized(image: HostArray, height: int, width: int) -> HostArray:
    """By area where it shrinks, bicubic where it grows; in [0, 1]."""
    shrinks = height * width < image.shape[0] * image.shape[1]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    result = cv2.resize(image, (width, height), interpolation=kind)
    return np.asarray(np.clip(result, 0, 1), np.float32)


def check_output(output: Path, *, overwrite: bool, inputs: Sequence[Path]) -> None:
    """Raise UsageError for a format that there is not, OutputError for a place."""
    if output.suffix.lower() not in FORMATS:
        raise UsageError(f"an image ends in {', '.join(FORMATS)}: name {output.name} otherwise")
    for path in inputs:
        Destination(output, overwrite).check(path)


@contextmanager
def reserved(output: Path, *, overwrite: bool) -> Generator[Destination, None, None]:
    """Lock the output against other runs while the image is stylized."""
    destination = Destination(output, overwrite)
    with destination.reserved():
        yield destination


def write_still(destination: Destination, stylized: torch.Tensor, still: Still) -> None:
    """Write a stylized image (1, 3, H, W) with the opacity and depth of its content.

    As far as the format holds them. Raises OutputError.
    """
    suffix = destination.path.suffix.lower()
    samples = _samples(stylized, still if suffix not in OPAQUE else None)
    deep = still.bits > 8 and suffix in _DEEP
    top, kind = (65535, np.uint16) if deep else (255, np.uint8)
    made, data = cv2.imencode(
        suffix, (samples * np.float32(top) + np.float32(0.5)).astype(kind), _QUALITY.get(suffix, [])
    )
    if not made:
        raise OutputError(f"cannot write {destination.path}: choose another format")
    try:
        destination.partial.write_bytes(data.tobytes())
    except OSError as error:
        raise OutputError(f"cannot write {destination.path}: {error.strerror or error}") from error
    destination.commit()


def to_planes(image: HostArray) -> torch.Tensor:
    """(1, 3, H, W) of (H, W, 3), or (1, 1, H, W) of (H, W)."""
    import torch

    planes = torch.from_numpy(image.copy())
    return planes[None, None] if planes.ndim == 2 else planes.permute(2, 0, 1)[None]


def preview_pixels(stylized: torch.Tensor) -> np.ndarray:
    """(H, W, 3) BGR of 8 bits, for previews and preview videos."""
    return np.asarray((_samples(stylized, None) * 255 + np.float32(0.5)).astype(np.uint8))


def _samples(stylized: torch.Tensor, still: Still | None) -> HostArray:
    """In OpenCV's order: BGR or BGRA, in [0, 1]."""
    colors = stylized[0].permute(1, 2, 0).cpu().numpy()[..., ::-1].clip(0, 1)
    if still is None or still.alpha is None:
        return np.ascontiguousarray(colors)
    return np.concatenate([colors, still.alpha[..., None]], axis=2)


def _fitted(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    longest = max(shape)
    height, width = (max(1, round(length * side / longest)) for length in shape)
    return height, width
