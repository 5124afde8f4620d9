"""Whether the images of a folder are the frames of a clip, or photos of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from vidstyle.imaging.image_size import image_size

# Bytes of a file in which its size is looked for; phones put small images before it.
_HEAD = 1 << 18
# The last number of a name, with what is before and behind it.
_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)


def why_photos(folder: Path, images: Sequence[Path]) -> str | None:
    """Why the images of a folder are no frames of one clip.

    Frames have names that differ in one number, and one size.

    Args:
        folder: As it is shown.
        images: What is in it.

    Returns:
        ``2 images in trip are photos: they differ in size``; None where they may be frames.
    """
    reason = _reason(images)
    return None if reason is None else f"{len(images)} images in {folder} are photos: {reason}"


def _reason(images: Sequence[Path]) -> str | None:
    parts = [_NUMBERED.fullmatch(path.stem) for path in images]
    if not all(parts) or len({(part[1], part[3]) for part in parts if part}) > 1:
        return "their names are not numbered"
    sizes = set()
    for path in images:
        sizes.add(_size_of(path))
        if len(sizes - {None}) > 1:
            return "they differ in size"
    return None


def _size_of(path: Path) -> tuple[int, int] | None:
    """By its header; None where that does not say it, or cannot be read."""
    try:
        with path.open("rb") as file:
            return image_size(file.read(_HEAD))
    except OSError:
        return None
