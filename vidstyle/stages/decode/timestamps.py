"""Times that only go forward, and a duration for every frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from av import VideoFrame

from vidstyle.core import Note


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded image with the time that the file gives it, in the stream's time base."""

    image: VideoFrame
    pts: int | None
    duration: int
    """0 where the file does not say."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A decoded image with the time that it is given."""

    image: VideoFrame
    pts: int
    duration: int


@dataclass(slots=True)
class Repairs:
    """Counts what was repaired."""

    missing: int = 0
    backward: int = 0

    def notes(self) -> list[Note]:
        """One line if anything was repaired."""
        parts = []
        if self.missing:
            parts.append(f"missing: {self.missing}")
        if self.backward:
            parts.append(f"not going forward: {self.backward}")
        if not parts:
            return []
        return [Note("timestamps", f"times of frames were repaired; {', '.join(parts)}")]


def repaired(
    decoded: Iterable[Decoded],
    *,
    first: int,
    step: int,
    repairs: Repairs,
    after: int | None = None,
    end: Callable[[], int | None] = lambda: None,
) -> Iterator[Timed]:
    """Give every frame a time later than the one before and a duration up to the next.

    Times that go forward stay as they are, gaps and start offset included. A frame without
    a time comes one ``step`` after the one before. A stray time is placed between its
    neighbors; where time jumps back for good, all that follows is shifted to go on. The
    last frame lasts up to ``end``, asked after it, where there is one and it is later, else it
    keeps its own duration, or lasts one ``step``. ``first`` is the time of a first frame that
    has none, ``after`` the time of the frame before the first. All in ticks of the stream's
    time base.
    """
    clock = _Clock(first, step, repairs, after)
    held: tuple[VideoFrame, int] | None = None
    last: Decoded | None = None
    for current, following in _with_next(decoded):
        pts = clock.position(current.pts, following.pts if following else None)
        if held is not None:
            yield Timed(*held, duration=pts - held[1])
        held, last = (current.image, pts), current
    if held is not None and last is not None:
        yield Timed(*held, duration=_duration(last, end()) or step)


def _duration(last: Decoded, end: int | None) -> int:
    """Of the last frame, on the file's own clock; 0 where the file does not say."""
    if end is not None and last.pts is not None and end > last.pts:
        return end - last.pts
    return max(0, last.duration)


class _Clock:
    """Places one frame after the other; sees one frame ahead."""

    def __init__(self, first: int, step: int, repairs: Repairs, after: int | None) -> None:
        self._first = first
        self._step = step
        self._repairs = repairs
        self._previous = after
        self._shift = 0

    def position(self, raw: int | None, following: int | None) -> int:
        pts = None if raw is None else raw + self._shift
        if pts is None or (self._previous is not None and pts <= self._previous):
            pts = self._repair(pts, None if following is None else following + self._shift)
        self._previous = pts
        return pts

    def _repair(self, pts: int | None, following: int | None) -> int:
        if pts is None:
            self._repairs.missing += 1
        else:
            self._repairs.backward += 1
        if self._previous is None:
            return self._first
        if following is not None and following > self._previous + 1:
            return self._previous + max(1, min(self._step, (following - self._previous) // 2))
        if pts is None:
            return self._previous + self._step
        if pts == self._previous:
            return pts + 1
        # The next frame is behind as well: the clock itself was set back.
        self._shift += self._previous + self._step - pts
        return self._previous + self._step


def _with_next(decoded: Iterable[Decoded]) -> Iterator[tuple[Decoded, Decoded | None]]:
    current: Decoded | None = None
    for following in decoded:
        if current is not None:
            yield current, following
        current = following
    if current is not None:
        yield current, None
