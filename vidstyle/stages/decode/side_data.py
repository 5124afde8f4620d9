"""What frames carry beside their samples, and no stage hands on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from av import VideoFrame

from vidstyle.core import Color, Note
from vidstyle.media.hdr10 import with_hdr10
from vidstyle.media.side_data import side_data_of

# By FFmpeg's names of a frame's side data.
_NAMES: Final = {
    "SPHERICAL": "a 360-degree projection",
    "STEREO3D": "an arrangement of stereo images",
    "A53_CC": "captions embedded in its images",
    "DYNAMIC_HDR_PLUS": "dynamic HDR10+ metadata",
    "DYNAMIC_HDR_VIVID": "dynamic HDR Vivid metadata",
    "DOVI_RPU_BUFFER": "Dolby Vision metadata",
    "DOVI_METADATA": "Dolby Vision metadata",
    "ICC_PROFILE": "a color profile",
    "AFD": "an active format description",
    "S12M_TIMECODE": "timecodes of single frames",
}
_HDR: Final = {"AMBIENT_VIEWING_ENVIRONMENT": "the HDR viewing environment"}
# Encoders take these for the whole clip, where the first frame has them.
_HDR10: Final = {
    "MASTERING_DISPLAY_METADATA": "HDR10 mastering data",
    "CONTENT_LIGHT_LEVEL": "HDR10 light levels",
}


def _is_flat(stereo: bytes) -> bool:
    """Whether the arrangement is that there is only one image (FFmpeg's libavutil/stereo3d.h)."""
    return not int.from_bytes(stereo[:4], sys.byteorder)


def lost_side_data(image: VideoFrame, color: Color, *, tone_mapped: bool) -> Iterator[Note]:
    """Notes of what a frame has that the output will not have.

    HDR10 metadata is the encoder's to keep where it is that of the clip's ``color``. A tone-mapped
    frame needs no HDR metadata any more.
    """
    side_data = side_data_of(image)
    for name, text in (_NAMES if tone_mapped else _NAMES | _HDR).items():
        found = side_data.get(name)
        if found is not None and not (name == "STEREO3D" and _is_flat(bytes(found))):
            yield Note("side-data", f"the video has {text}: left out")
    if not tone_mapped:
        yield from _other_hdr10(side_data, color)


def _other_hdr10(side_data: Mapping[str, Any], color: Color) -> Iterator[Note]:
    """Notes of HDR10 metadata that is not that of the whole clip."""
    own = with_hdr10(color, side_data)
    for name, found, kept in (
        ("MASTERING_DISPLAY_METADATA", own.mastering, color.mastering),
        ("CONTENT_LIGHT_LEVEL", own.light_levels, color.light_levels),
    ):
        if side_data.get(name) is None or (found == kept and found is not None):
            continue
        if kept is None:
            yield Note("side-data", f"the video has {_HDR10[name]}: left out")
        else:
            yield Note("side-data", f"the {_HDR10[name]} of the video change: the first are kept")
