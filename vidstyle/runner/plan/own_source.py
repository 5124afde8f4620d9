"""The built-in source of a file or folder, for what reads clips without a pipeline."""

from __future__ import annotations

from pathlib import Path

from vidstyle.imaging.photo_file import holds_images
from vidstyle.stages.decode.images import DecodeImages, ImagesOptions
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV


def own_source(path: Path) -> DecodeImages | DecodePyAV:
    """Make the source that reads a path, with the options that it has by itself.

    Args:
        path: A video, a photo, or a folder of images.

    Returns:
        The source; the caller opens and closes it.
    """
    if holds_images(path):
        return DecodeImages(ImagesOptions())
    return DecodePyAV(DecodeOptions())
