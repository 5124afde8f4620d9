"""Times that only go forward, a duration for every frame, and the end of the last one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from av import VideoFrame
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vidstyle.core import Note

# More frames than a coded one may be ahead of its place.
REORDERED: Final = 32


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
    """Counts of repaired times."""

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


def repair_times(
    decoded: Iterable[Decoded],
    *,
    first: int,
    step: int,
    repairs: Repairs,
    after: int | None = None,
    end: Callable[[], int | None] = lambda: None,
    at_once: bool = False,
) -> Iterator[Timed]:
    """Give every frame a time later than the one before and a duration up to the next.

    Times that go forward stay as they are, gaps and start offset included. A frame without
    a time comes one ``step`` after the one before. A stray time is placed between its
    neighbors; where time jumps back for good, all that follows is shifted. The last frame lasts
    up to ``end``, called after it, where there is one and it is later; else it keeps its own
    duration, or lasts one ``step``.

    With ``at_once`` no frame waits for the next one: all have their own duration or one ``step``,
    and where time jumps back, all that follows is shifted.

    Args:
        decoded: Frames in presentation order.
        first: Time of a first frame that has none.
        step: Usual duration of a frame.
        repairs: Counts what is repaired.
        after: Time of the frame before the first.
        end: When the stream ends, where its packets say so.
        at_once: For who waits for each frame.

    All times are in ticks of the stream's time base.
    """
    clock = _Clock(first, step, repairs, after)
    if at_once:
        for item in decoded:
            yield Timed(item.image, clock.position(item.pts, None), max(0, item.duration) or step)
        return
    waiting: tuple[VideoFrame, int] | None = None
    last: Decoded | None = None
    for current, following in _with_next(decoded):
        pts = clock.position(current.pts, following.pts if following else None)
        if waiting is not None:
            yield Timed(*waiting, duration=pts - waiting[1])
        waiting, last = (current.image, pts), current
    if waiting is not None and last is not None:
        yield Timed(*waiting, duration=_duration(last, end()) or step)


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


class _SeenPacket(NamedTuple):
    pts: int
    dts: int
    duration: int


class Ending:
    """Watches a stream's packets for when its last frame ends.

    mp4 and mov have no durations of frames but intervals between decoding times, which FFmpeg
    passes on as durations. Where frames are reordered, a writer of true intervals between
    presentation times gives a long last frame's duration to the packet that is decoded last.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._stream = stream
        self._intervals = "mp4" in container.format.name.split(",")
        self._recent: deque[_SeenPacket] = deque(maxlen=REORDERED)

    def see(self, packet: Packet[VideoStream]) -> None:
        """Record the next packet in the file."""
        if self._intervals and packet.pts is not None and packet.dts is not None:
            self._recent.append(_SeenPacket(packet.pts, packet.dts, packet.duration or 0))

    def forget(self) -> None:
        """Forget the packets: what follows is from elsewhere in the file."""
        self._recent.clear()

    def ticks(self) -> int | None:
        """The stream's end in its time base, or None where the last frame's duration is better.

        That is so where all packets have the duration of their own frame, and where the last
        to be decoded is the last to be shown. Then the stream's length may be off by what
        decoding times start or end too early, as with x264's own.
        """
        if not self._recent or not self._stream.duration:
            return None
        final = self._recent[-1]
        later = [packet.pts for packet in self._recent if packet.pts > final.pts]
        if not later or final.duration == min(later) - final.pts or not self._is_last(final):
            return None
        return (self._stream.start_time or 0) + self._stream.duration

    def _is_last(self, packet: _SeenPacket) -> bool:
        """Whether the stream ends with it, rather than by an edit or half of a download."""
        entries = self._stream.index_entries
        if not len(entries):
            return False
        return packet.dts + packet.duration == entries[0].timestamp + (self._stream.duration or 0)
