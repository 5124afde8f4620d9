"""Which frames of a clip are wanted: by their numbers, or by their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from vidstyle.core.clip import Clip, Note
from vidstyle.core.context import ExecutionContext
from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.source import Source, TimedSource
from vidstyle.runner.plan.own_source import own_source

Indices: TypeAlias = tuple[int, int | None]
"""A half-open interval of frame indices; None as its end stands for that of the clip."""

_INDEX = re.compile(r"[0-9]{1,18}")
_TIME = re.compile(
    r"(?=[0-9.])(?:([0-9]{1,6})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})s)?"
    r"(?:([0-9]{1,9})ms)?"
)


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
    """``A:B``, ``A:`` or ``:B``, each a frame number such as 100, or a time such as 3.5s or 1m30s.

    Raises UsageError, which begins with the text, for anything else.
    """
    first, colon, last = text.partition(":")
    if not colon or not all(_is_number(each) or _is_time(each) for each in (first, last) if each):
        raise UsageError(f"{text}: wanted A:B, such as 0:100 or 3s:8s")
    by_time = any(each and not _is_number(each) for each in (first, last))
    if by_time and any(_is_number(each) and int(each) for each in (first, last)):
        raise UsageError(f"{text}: wanted two frame numbers or two times, such as 3s:8s")
    start, stop = (_value(each, by_time=by_time) if each else None for each in (first, last))
    if stop is not None and stop <= (start or 0):
        raise UsageError(f"{text}: the end must be greater than the start")
    if by_time:
        return TimeInterval(Fraction(start or 0), None if stop is None else Fraction(stop))
    return int(start or 0), None if stop is None else int(stop)


def indices_in(interval: Interval, source: Source, clip: Clip) -> tuple[Indices, tuple[Note, ...]]:
    """The frame numbers of an interval, and a note where it ends behind the clip.

    Numbers of a source that leaves frames out get a note, too: they are other moments.

    Frames are counted as the source counts them; it reads up to the end of the interval.

    Args:
        interval: What is wanted.
        source: Open.
        clip: What it describes.

    Raises:
        InputError: No frame begins in it, or the clip cannot be read.
    """
    if not isinstance(interval, TimeInterval):
        return interval, tuple(_thinned(interval, source, clip))
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


def _thinned(interval: Indices, source: Source, clip: Clip) -> Iterator[Note]:
    """A note where frame numbers count what is left of the clip's frames."""
    rate = getattr(getattr(source, "options", None), "thin_to", None)
    if rate is None or interval == (0, None):
        return
    if clip.frame_rate is None or clip.frame_rate >= Fraction(rate):
        shown = f"{float(Fraction(rate)):g}"
        text = f"--frames counts the frames that stay of the clip, {shown} a second (thin_to)"
        yield Note("frames", f"{text}; times such as 3s:8s are those of the clip")


def _times(source: Source) -> Iterator[tuple[int, int]]:
    """Index and pts of each frame."""
    if isinstance(source, TimedSource):
        yield from source.times()
    else:
        yield from ((frame.index, frame.pts) for frame in source.frames(None))


def _is_number(text: str) -> bool:
    return _INDEX.fullmatch(text) is not None


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


def _value(text: str, *, by_time: bool) -> Fraction | int:
    if not by_time:
        return int(text)
    if _is_number(text):
        return Fraction(text)
    match = _TIME.fullmatch(text)
    assert match is not None
    hours, minutes, seconds, milliseconds = (Fraction(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _text(seconds: Fraction) -> str:
    """``3.5s``: exact where the user typed it as a decimal."""
    whole = f"{float(seconds):.9f}".rstrip("0").rstrip(".")
    return f"{whole}s"
