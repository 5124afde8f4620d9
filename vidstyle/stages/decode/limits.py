"""How large, long and fast a clip may be, so that a small file cannot ask for a whole machine."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from vidstyle.core.errors import InputError
from vidstyle.media.container import MAX_PIXELS

# Pixels: 8192x8192, a frame of 768 MiB as float32 RGB.
LARGEST_FRAME: Final = MAX_PIXELS
# A day at 115 frames a second.
MOST_FRAMES: Final = 10_000_000
MOST_HOURS: Final = 24.0
# Frames a second, as of a camera for slow motion.
HIGHEST_RATE: Final = 1000
_RATE: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20}|/0*[1-9][0-9]{0,20})?")


def check_size(path: Path, width: int, height: int, max_pixels: int) -> None:
    """Raise InputError where a frame has more pixels than allowed."""
    if width * height > max_pixels:
        raise InputError(
            f"{path}: its frames are {width}x{height}, more than {max_pixels} pixels; "
            "raise decode's option max_pixels to allow it"
        )


def check_count(path: Path, frames: int, max_frames: int) -> None:
    """Raise InputError where there are, or the file announces, more frames than allowed."""
    if frames > max_frames:
        raise InputError(
            f"{path}: it has {frames} frames or more, more than {max_frames}; "
            "raise decode's option max_frames to allow it"
        )


def check_length(path: Path, seconds: float, max_hours: float) -> None:
    """Raise InputError where a clip is, or the file says it is, longer than allowed."""
    if seconds > 3600 * max_hours:
        raise InputError(
            f"{path}: its times reach over {seconds / 3600:.4g} hours, more than {max_hours:g}; "
            "raise decode's option max_hours to allow it"
        )


def check_rate(path: Path, rate: float, max_frame_rate: float) -> None:
    """Raise InputError where there are more frames a second than allowed."""
    if rate > max_frame_rate:
        raise InputError(
            f"{path}: it has {rate:.6g} frames a second, more than {max_frame_rate:g}; "
            "raise decode's option max_frame_rate to allow it"
        )


def _read_rate(value: Any) -> str:
    """A frame rate as the text of an exact fraction. Raises ValueError for anything else."""
    # By its text: 29.97 means 2997/100, not the nearest binary fraction. Without an exponent,
    # of which a few digits would make a Fraction take all memory.
    match = _RATE.fullmatch(str(value))
    if match is None:
        raise ValueError("a frame rate is a number or a fraction such as 30000/1001")
    rate = Fraction(match[0])
    if not 0 < rate <= HIGHEST_RATE:
        raise ValueError(f"a frame rate is above 0 and at most {HIGHEST_RATE} images a second")
    return str(rate)


FrameRate = Annotated[str, BeforeValidator(_read_rate, json_schema_input_type=str | float)]
"""An option for frames a second: a number, or a fraction as text. Its value is a fraction's text.
"""
