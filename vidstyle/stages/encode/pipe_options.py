"""What goes into a pipe: the form of the bytes, and the pixel format that they have."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal, TypeAlias

from pydantic import Field

from vidstyle.core import Clip
from vidstyle.core.errors import PipelineError
from vidstyle.core.planes import Siting
from vidstyle.media.from_rgb import LAYOUTS
from vidstyle.media.raw_video import RAW_FORMATS
from vidstyle.stages.encode.encoder import EncodeOptions

PipeForm: TypeAlias = Literal["y4m", "mkv", "raw", "file"]

# Frames a second where nothing says how many there are.
_NO_RATE: Final = 25
Y4M_CHROMA: Final = {
    "yuv420p": "420jpeg",
    "yuv422p": "422",
    "yuv444p": "444",
    "yuv420p10le": "420p10 XYSCSS=420P10",
    "yuv422p10le": "422p10 XYSCSS=422P10",
    "yuv444p10le": "444p10 XYSCSS=444P10",
}
"""The words of a y4m header for a pixel format."""


class PipeOptions(EncodeOptions):
    """The options of ``encode/pyav`` for frames that are written as they are done."""

    form: PipeForm = Field(
        "mkv", description="y4m, Matroska, bare frames, or a file by the suffix of its name."
    )
    like: str = Field("", description="Pixel format of the input, which y4m and raw video keep.")
    rate: str = Field("", description="Frames a second in y4m where the clip has no rate.")
    siting: Siting = Field("center", description="Where y4m says that chroma lies.")

    def frame_rate(self, clip: Clip) -> Fraction:
        """What y4m says."""
        return clip.frame_rate or Fraction(self.rate or _NO_RATE)

    def plain_format(self, clip: Clip) -> str:
        """The pixel format of y4m and raw video. Raises PipelineError for one that is not there."""
        known = Y4M_CHROMA if self.form == "y4m" else RAW_FORMATS
        if self.pixel_format != "auto":
            if self.pixel_format not in known:
                what = "y4m" if self.form == "y4m" else "raw video"
                raise PipelineError(
                    f"pixel_format {self.pixel_format}: {what} has: {', '.join(known)}"
                )
            return self.pixel_format
        # The same samples, whatever FFmpeg calls them for their range.
        like = self.like.replace("yuvj", "yuv")
        if like in known:
            return like
        if self.form == "raw":
            return "rgb24"
        deep = "10le" if clip.bit_depth > 8 else ""
        return f"yuv444p{deep}" if clip.color.matrix == "rgb" else f"yuv420p{deep}"


def bytes_per_pixel(pixel_format: str) -> float:
    """Bytes that a pixel of a frame takes, chroma included."""
    layout = LAYOUTS[pixel_format]
    across, down = layout.chroma
    planes = (1 + layout.alpha) + 2 / (across * down)
    return planes * (1 if layout.bits == 8 else 2)
