"""Between ``core.Color`` and the numbers that FFmpeg keeps in streams, frames and scalers."""

from __future__ import annotations

from typing import Final, TypeAlias

from av import VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.reformatter import ColorRange, Colorspace

from vidstyle.core import Color
from vidstyle.core.clip import Matrix, Range
from vidstyle.core.errors import InputError

Tagged: TypeAlias = VideoCodecContext | VideoFrame
"""What carries color tags: the stream's codec context, or one frame."""

UNSPECIFIED: Final = 2
"""Code point of H.273 for a matrix, primaries or transfer that the file does not name."""
PQ: Final = 16
"""Transfer of SMPTE ST 2084."""
HLG: Final = 18
"""Transfer of ARIB STD-B67."""

MATRIX_TO_TAG: Final[dict[Matrix, int]] = {
    "rgb": 0,
    "bt709": 1,
    "fcc": 4,
    "bt601": 6,
    "smpte240m": 7,
    "bt2020": 9,
}
"""The code point of H.273 to write into a file (``colorspace`` of a codec context)."""

TAG_TO_MATRIX: Final[dict[int, Matrix]] = {
    **{tag: matrix for matrix, tag in MATRIX_TO_TAG.items()},
    5: "bt601",
    10: "bt2020",
}
"""The other direction. 5 is BT.601 for 625 lines.

10 is BT.2020 with constant luminance, which is read as if it were not constant.
"""

MATRIX_TO_SCALER: Final[dict[Matrix, Colorspace]] = {
    "rgb": Colorspace.DEFAULT,
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "smpte240m": Colorspace.SMPTE240M,
    "bt2020": Colorspace.BT2020,
}
"""What ``VideoReformatter`` takes as ``src_colorspace`` and ``dst_colorspace``."""

RANGE_TO_TAG: Final[dict[Range, ColorRange]] = {"limited": ColorRange.MPEG, "full": ColorRange.JPEG}
"""``color_range`` of codec contexts, frames and ``VideoReformatter``."""

_TAG_TO_RANGE: Final[dict[int, Range]] = {int(tag): name for name, tag in RANGE_TO_TAG.items()}
_UNTAGGED: Final = (MATRIX_TO_TAG["rgb"], UNSPECIFIED, 3)
# 3 is reserved, and RGB is no matrix that luma and chroma could have.
LUMA_WEIGHTS: Final[dict[Matrix, tuple[float, float]]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
"""Weights of red and blue in luma, Kr and Kb; green has the rest (H.273, table 4)."""

_HD_LINES: Final = 720


def color_of(tagged: Tagged, height: int) -> Color:
    """The color tags of a stream or frame, guessed from ``height`` where the matrix is missing.

    Untagged means BT.709 from 720 lines up and BT.601 below, with ``tagged`` False. Without a
    tag the range is limited, and full for RGB and gray. RGB formats have the matrix ``rgb``.
    Raises InputError for a matrix that nothing here can convert, such as YCgCo.
    """
    pixels = tagged.format
    primaries, transfer = int(tagged.color_primaries), int(tagged.color_trc)
    spread = _range_of(int(tagged.color_range), pixels)
    if pixels is not None and is_rgb(pixels):
        return Color("rgb", spread, primaries, transfer)
    tag = int(tagged.colorspace)
    if tag in _UNTAGGED:
        known = pixels is not None and not has_chroma(pixels)
        return Color(guess_matrix(height), spread, primaries, transfer, tagged=known)
    if tag not in TAG_TO_MATRIX:
        raise InputError(
            f"the video has color matrix {tag} (H.273), which is not supported; "
            "convert it to BT.709 first"
        )
    return Color(TAG_TO_MATRIX[tag], spread, primaries, transfer)


def guess_matrix(height: int) -> Matrix:
    """What an untagged video most likely has: BT.709 from 720 lines up, BT.601 below."""
    return "bt709" if height >= _HD_LINES else "bt601"


def is_hdr(color: Color) -> bool:
    """Whether the samples are coded with PQ or HLG."""
    return color.transfer in (PQ, HLG)


def is_rgb(pixels: VideoFormat) -> bool:
    """Whether the samples are red, green and blue, directly or through a palette."""
    return bool(pixels.is_rgb or pixels.has_palette or pixels.name.startswith("xyz"))


def has_chroma(pixels: VideoFormat) -> bool:
    """Whether the samples are luma and chroma: neither RGB nor gray."""
    # PyAV's is_chroma is False for 4:4:4.
    return not is_rgb(pixels) and sum(not part.is_alpha for part in pixels.components) == 3


def is_gray(pixels: VideoFormat) -> bool:
    """Whether there is luma alone, in whole numbers."""
    parts = pixels.components
    return len(parts) == 1 and parts[0].bits <= 16 and not is_rgb(pixels)


def has_alpha(pixels: VideoFormat) -> bool:
    """Whether the format carries transparency of its own."""
    return any(part.is_alpha for part in pixels.components)


def _range_of(tag: int, pixels: VideoFormat | None) -> Range:
    if pixels is not None and pixels.name.startswith("yuvj"):
        return "full"
    untagged: Range = "limited" if pixels is None or has_chroma(pixels) else "full"
    return _TAG_TO_RANGE.get(tag, untagged)
