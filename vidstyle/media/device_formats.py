"""From the formats of GPUs to those of processors."""

from __future__ import annotations

from typing import Final

from av.video import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

# Chroma in a plane of its own each, and the ten bits at the bottom of the sixteen.
_PLANAR: Final = {"nv12": "yuv420p", "p010le": "yuv420p10le"}


def is_from_device(image: VideoFrame) -> bool:
    """Whether only GPUs decode to this format, of what they can decode."""
    return image.format.name in _PLANAR


def to_planar(image: VideoFrame, scaler: VideoReformatter) -> VideoFrame:
    """The same samples, times and tags in the processor's format, bit for bit.

    Other formats than NV12 and P010 stay as they are.
    """
    wanted = _PLANAR.get(image.format.name)
    if wanted is None:
        return image
    if wanted == "yuv420p" and image.color_range == ColorRange.JPEG:
        wanted = "yuvj420p"
    converted = scaler.reformat(
        image,
        format=wanted,
        interpolation=Interpolation.POINT | Interpolation.BITEXACT,
        src_color_range=image.color_range,
        dst_color_range=image.color_range,
        threads=1,
    )
    # One of two tags for the same matrix comes out as the other.
    converted.colorspace = image.colorspace
    return converted
