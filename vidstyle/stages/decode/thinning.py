"""Fewer frames a second than a file has: which are kept, and how long they last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from vidstyle.core import Clip
from vidstyle.stages.decode.limits import HIGHEST_RATE
from vidstyle.stages.decode.timestamps import Timed

_RATE: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20}|/0*[1-9][0-9]{0,20})?")
# Of the interval between two frames: a coarser clock has exact times.
_EARLIEST: Final = Fraction(1, 10)


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


def thin_option() -> Any:
    """Declare the option of a source that leaves frames out."""
    return Field(
        None,
        description="Leave frames out, so that at most so many a second stay, such as 12.5. Only"
        " those that stay are counted. If not set, all stay.",
    )


def thin_clip(clip: Clip, rate: Fraction) -> Clip:
    """The clip with at most ``rate`` frames a second; constant where every n-th frame is kept."""
    if clip.frame_rate is None or clip.frame_rate <= rate:
        return clip
    ratio = clip.frame_rate / rate
    count = None if clip.frame_count is None else ceil(clip.frame_count / ratio)
    regular = rate if ratio.denominator == 1 else None
    return replace(clip, frame_rate=regular, frame_count=count)


def thin_frames(
    timed: Iterable[Timed], rate: Fraction, *, tick: Fraction, first: int, after: int | None
) -> Iterator[Timed]:
    """Keep at most ``rate`` frames a second, each at its own time; it lasts up to the next.

    Time is divided into slots of one frame each, and the first frame in a slot is kept. What is
    kept depends on times alone, so that reading may begin anywhere.

    Args:
        timed: Frames in presentation order.
        rate: Frames a second.
        tick: Seconds of one.
        first: Where the first slot begins, in ticks.
        after: Time of the last frame that was kept before, in ticks.
    """
    per_tick = rate * tick
    # Times are rounded to ticks: a frame that comes a tick early is on time.
    early = min(per_tick, _EARLIEST)

    def slot(pts: int) -> int:
        return floor((pts - first) * per_tick + early)

    kept: Timed | None = None
    last = None if after is None else slot(after)
    for item in timed:
        if last is None or slot(item.pts) > last:
            if kept is not None:
                yield kept
            kept, last = item, slot(item.pts)
        elif kept is not None:
            kept = replace(kept, duration=item.pts + item.duration - kept.pts)
    if kept is not None:
        yield kept


def thin_numbers(count: int, rate: Fraction, wanted: Fraction) -> list[int]:
    """Which of ``count`` frames at a constant rate are kept, as ``thin_frames`` keeps them."""
    slots = [floor(number * wanted / rate) for number in range(count)]
    return [number for number in range(count) if not number or slots[number] > slots[number - 1]]
