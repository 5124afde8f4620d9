"""Frames without a header: what must be known of them to read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from av.video.format import VideoFormat

from vidstyle.core.errors import UsageError

RAW_FORMATS: Final = (
    *("rgb24", "bgr24", "rgba", "bgra", "gbrp", "yuv420p", "yuv422p", "yuv444p"),
    *("yuv420p10le", "yuv422p10le", "yuv444p10le"),
)
"""Pixel formats that can be read and written without a header, by FFmpeg's name."""

_TEXT: Final = re.compile(
    r"(?P<width>[0-9]{1,5})x(?P<height>[0-9]{1,5})@"
    r"(?P<rate>[0-9]{1,6}(?:\.[0-9]{1,6}|/[0-9]{1,6})?)(?:[: ](?P<format>[a-z0-9]+))?"
)


@dataclass(frozen=True, slots=True)
class RawVideo:
    """Size, rate and pixel format of frames that follow one another without a header."""

    width: int
    height: int
    rate: Fraction
    pixel_format: str = "rgb24"

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        pixels = VideoFormat(self.pixel_format, self.width, self.height)
        deep = 2 if pixels.components[0].bits > 8 else 1
        return sum(
            pixels.chroma_width(self.width) * pixels.chroma_height(self.height) * deep
            if number in (1, 2) and not pixels.is_rgb
            else self.width * self.height * deep
            for number in range(len(pixels.components))
        )


def parse_raw_video(text: str, option: str) -> RawVideo:
    """``640x360@25:rgb24`` as a value.

    Args:
        text: Width, height, frames a second (25, 23.976 or 30000/1001) and pixel format; a blank
            may stand for the colon. Without a format it is rgb24.
        option: What errors call it.

    Returns:
        The description.

    Raises:
        UsageError: The text is none, or a value is out of range.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{option} {text}: wanted WIDTHxHEIGHT@RATE:FORMAT, such as 640x360@25:rgb24"
        )
    pixel_format = match["format"] or "rgb24"
    if pixel_format not in RAW_FORMATS:
        known = ", ".join(RAW_FORMATS)
        raise UsageError(f"{option} {text}: no pixel format {pixel_format}; there are: {known}")
    try:
        rate = Fraction(match["rate"])
    except ZeroDivisionError:
        rate = Fraction(0)
    width, height = int(match["width"]), int(match["height"])
    if not (width and height and rate):
        raise UsageError(f"{option} {text}: width, height and rate must be greater than 0")
    return RawVideo(width, height, rate, pixel_format)
