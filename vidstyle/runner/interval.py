"""Which frames of a clip are wanted: by their numbers, or by their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from vidstyle.core.clip import Clip, Note
from vidstyle.core.context import ExecutionContext
from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.source import Source, TimedSource
from vidstyle.runner.config.times import seconds_of
from vidstyle.runner.plan.own_source import own_source

Indices: TypeAlias = tuple[int, int | None]
"""A half-open interval of frame indices; None as its end stands for that of the clip."""

_INDEX = re.compile(r"[0-9]{1,18}")
_EXAMPLES = "0:100, 3s:8s or 1:30-2:00"


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Frames that begin at ``start`` or later, and before ``stop``."""

    start: Fraction
    """Seconds since the first frame of the clip."""
    stop: Fraction | None
    """None for the end of the clip."""

    def __str__(self) -> str:
        stop = "" if self.stop is None else _text(self.stop)
        return f"{_text(self.start)}:{stop}"


Interval: TypeAlias = Indices | TimeInterval


def parse_interval(text: str) -> Interval:
    """Read ``A:B``, ``A:`` or ``:B``; either is a frame number such as 100, or a time such as 3.5s.

    Times such as 1:30 have colons themselves: they are written ``A-B``.

    Raises UsageError, which begins with the text, for anything else.
    """
    dash = "-" in text
    first, separator, last = text.partition("-" if dash else ":")
    ends = [each for each in (first, last) if each]
    if not separator or not all(_is_end(each, dash=dash) for each in ends):
        raise UsageError(f"{text}: wanted A:B, such as {_EXAMPLES}")
    by_time = any(not _is_number(each) for each in ends)
    if by_time and any(_is_number(each) and int(each) for each in ends):
        raise UsageError(f"{text}: wanted two frame numbers or two times, such as 3s:8s")
    start, stop = (_value(each) if each else None for each in (first, last))
    if stop is not None and stop <= (start or 0):
        raise UsageError(f"{text}: the end must be greater than the start")
    if by_time:
        return TimeInterval(Fraction(start or 0), None if stop is None else Fraction(stop))
    return int(start or 0), None if stop is None else int(stop)


def indices_in(interval: Interval, source: Source, clip: Clip) -> tuple[Indices, tuple[Note, ...]]:
    """The frame numbers of an interval, and a note where it ends behind the clip.

    Numbers of a source that leaves frames out get a note, too: they are other moments.

    Frames are counted as the source counts them; it reads up to the end of the interval, but where
    numbers lie within the clip. So all words for the same frames give the same numbers.

    Args:
        interval: What is wanted.
        source: Open.
        clip: What it describes.

    Raises:
        InputError: No frame begins in it, or the clip cannot be read.
    """
    if not isinstance(interval, TimeInterval):
        return _within(interval, source, clip)
    start, stop = interval.start, interval.stop
    if not start and stop is None:
        return (0, None), ()
    origin: Fraction | None = None
    first: int | None = None
    index, now = -1, Fraction(0)
    for index, pts in _times(source):
        seconds = pts * clip.time_base
        origin = seconds if origin is None else origin
        now = seconds - origin
        if first is None and now >= start:
            first = index
            if stop is None:
                return (first, None), ()
        if stop is not None and now >= stop:
            if first is None or first == index:
                raise InputError(f"--frames {interval}: no frame of the input begins in it")
            return (first, index), ()
    if first is None:
        raise InputError(
            f"--frames starts at {_text(start)}, but the last frame of the input is at"
            f" {float(now):.3f}s"
        )
    assert stop is not None
    text = (
        f"--frames ends at {_text(stop)}, but the last frame of the input is at {float(now):.3f}s"
    )
    return (first, index + 1), (Note("frames", text),)


def indices_on(interval: Interval, path: Path) -> tuple[Indices, tuple[Note, ...]]:
    """The frame numbers of an interval of a file or folder, and what ``indices_in`` notes.

    Raises InputError where it cannot be read, or no frame begins in the interval.
    """
    if not isinstance(interval, TimeInterval):
        return interval, ()
    with closing(own_source(path)) as source:
        return indices_in(interval, source, source.open(path, ExecutionContext()))


def spread_evenly(length: int, count: int) -> list[int]:
    """Frame numbers in the middles of equal parts: clips often begin and end with little to see.

    Args:
        length: How many frames there are; at least 1.
        count: How many are wanted; at least 1.

    Returns:
        So many of 0 to ``length - 1``, or all where there are fewer, in order.
    """
    count = min(count, length)
    return [(2 * at + 1) * length // (2 * count) for at in range(count)]


def _within(interval: Indices, source: Source, clip: Clip) -> tuple[Indices, tuple[Note, ...]]:
    """Frame numbers up to the end of the clip, and the notes on them."""
    notes = thinning_notes(interval, source, clip)
    first, stop = interval
    if stop is None or (clip.frame_count is not None and stop <= clip.frame_count):
        return interval, notes
    count = sum(1 for _ in islice(_times(source), stop))
    # One that begins behind the end is refused with the number of frames when they are read.
    if not first < count < stop:
        return interval, notes
    text = f"--frames ends at {stop}, but the input has {count} frames"
    return (first, count), (*notes, Note("frames", text))


def thinning_notes(interval: Indices, source: Source, clip: Clip) -> tuple[Note, ...]:
    """A note where frame numbers count what is left of the clip's frames."""
    rate = getattr(getattr(source, "options", None), "thin_to", None)
    if rate is None or interval == (0, None):
        return ()
    if clip.frame_rate is not None and clip.frame_rate < Fraction(rate):
        return ()
    shown = f"{float(Fraction(rate)):g}"
    text = f"--frames counts the frames that stay of the clip, {shown} a second (thin_to)"
    return (Note("frames", f"{text}; times such as 3s:8s are those of the clip"),)


def _times(source: Source) -> Iterator[tuple[int, int]]:
    """Index and pts of each frame."""
    if isinstance(source, TimedSource):
        yield from source.times()
    else:
        yield from ((frame.index, frame.pts) for frame in source.frames(None))


def _is_number(text: str) -> bool:
    return _INDEX.fullmatch(text) is not None


def _is_end(text: str, *, dash: bool) -> bool:
    """Whether one end of an interval is a time, or a number where a colon stands between them."""
    if dash:
        return seconds_of(text) is not None
    return _is_number(text) or (":" not in text and seconds_of(text) is not None)


def _value(text: str) -> Fraction:
    """A time in seconds, or a number."""
    seconds = seconds_of(text)
    return Fraction(text) if seconds is None else seconds


def _text(seconds: Fraction) -> str:
    """``3.5s``: exact where the user typed it as a decimal."""
    whole = f"{float(seconds):.9f}".rstrip("0").rstrip(".")
    return f"{whole}s"
