"""Timecodes of a cut: they start where it starts (SMPTE ST 12-1)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_TIMECODE: Final = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")
_DAY: Final = 24 * 3600


def later_timecode(text: str, seconds: Fraction, rate: Fraction) -> str | None:
    """The timecode that many seconds after another one.

    Args:
        text: HH:MM:SS:FF, or with ; or . before the frames where some numbers are dropped.
        seconds: How much later, at least 0.
        rate: Frames a second.

    Returns:
        None where the text is no timecode of that rate.
    """
    match = _TIMECODE.fullmatch(text.strip())
    frames_a_second = round(rate)
    if match is None or frames_a_second < 1:
        return None
    hours, minutes, second, frame = (int(match[n]) for n in (1, 2, 3, 5))
    if minutes > 59 or second > 59 or frame >= frames_a_second:
        return None
    dropped = _dropped(frames_a_second) if match[4] != ":" else 0
    whole_minutes = 60 * hours + minutes
    count = (60 * whole_minutes + second) * frames_a_second + frame
    count -= dropped * (whole_minutes - whole_minutes // 10)
    count += round(seconds * rate)
    return _text(count, frames_a_second, dropped, match[4])


def _dropped(frames_a_second: int) -> int:
    """Numbers that are left out each minute but the tenth: 2 at 30 frames a second."""
    return frames_a_second // 15


def _text(count: int, frames_a_second: int, dropped: int, mark: str) -> str:
    if dropped:
        ten_minutes = 600 * frames_a_second - 9 * dropped
        tens, rest = divmod(count, ten_minutes)
        minute = 60 * frames_a_second - dropped
        count += 9 * dropped * tens
        if rest >= dropped:
            count += dropped * ((rest - dropped) // minute)
    seconds, frame = divmod(count, frames_a_second)
    seconds %= _DAY
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}{mark}{frame:02}"
