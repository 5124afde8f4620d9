"""How large, long and fast a clip may be, so that a small file cannot ask for a whole machine."""

from __future__ import annotations

from typing import Final

from vidstyle.core.errors import InputError
from vidstyle.media.container import MAX_PIXELS, VideoInput

# Pixels: 8192x8192, a frame of 768 MiB as float32 RGB.
LARGEST_FRAME: Final = MAX_PIXELS
# A day at 115 frames a second.
MOST_FRAMES: Final = 10_000_000
MOST_HOURS: Final = 24.0
# Frames a second, as of a camera for slow motion.
HIGHEST_RATE: Final = 1000


def check_size(path: VideoInput, width: int, height: int, max_pixels: int) -> None:
    """Raise InputError where a frame has more pixels than allowed."""
    if width * height > max_pixels:
        raise InputError(
            f"{path}: its frames are {width}x{height}, more than {max_pixels} pixels; "
            "raise decode's option max_pixels to allow it"
        )


def check_count(path: VideoInput, frames: int, max_frames: int) -> None:
    """Raise InputError where there are, or the file announces, more frames than allowed."""
    if frames > max_frames:
        raise InputError(
            f"{path}: it has {frames} frames or more, more than {max_frames}; "
            "raise decode's option max_frames to allow it"
        )


def check_length(path: VideoInput, seconds: float, max_hours: float) -> None:
    """Raise InputError where a clip is, or the file says it is, longer than allowed."""
    if seconds > 3600 * max_hours:
        raise InputError(
            f"{path}: its times reach over {seconds / 3600:.4g} hours, more than {max_hours:g}; "
            "raise decode's option max_hours to allow it"
        )


def check_rate(path: VideoInput, rate: float, max_frame_rate: float) -> None:
    """Raise InputError where there are more frames a second than allowed."""
    if rate > max_frame_rate:
        raise InputError(
            f"{path}: it has {rate:.6g} frames a second, more than {max_frame_rate:g}; "
            "raise decode's option max_frame_rate to allow it"
        )
