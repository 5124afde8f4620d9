"""How the packets of one other stream get into the output: copied, or converted as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av
from av.stream import Stream

from vidstyle.core import Note

AvPacket: TypeAlias = "av.Packet[Any]"


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of the original's time is kept, in seconds on its own clock."""

    start: Fraction = Fraction(0)
    """What becomes 0 in the output; may be negative."""
    end: Fraction | None = None
    """Nothing from here on is kept."""
    exact: bool = False
    """False: everything is kept and only moved."""

    def moved(self, time: int, time_base: Fraction) -> int:
        """A time in ticks on the output's clock."""
        return time - round(self.start / time_base)

    def keeps(self, begin: Fraction, end: Fraction) -> bool:
        """Whether any of the span is kept."""
        if not self.exact:
            return True
        return end > self.start and (self.end is None or begin < self.end)

    def trimmed(self, begin: int, end: int, time_base: Fraction) -> tuple[int, int]:
        """The span, already on the output's clock, without what lies outside of the cut."""
        start = max(begin, 0)
        if self.end is not None:
            end = min(end, int((self.end - self.start) / time_base))
        return start, end


class Route(Protocol):
    """From packets of the original to packets of the output."""

    @property
    def notes(self) -> Iterable[Note]:
        """What was lost or changed so far, and is not known before."""
        ...

    def convert(self, packet: AvPacket) -> Iterable[AvPacket]:
        """What can be written now, in the output's time. Raises av's errors for damage."""
        ...

    def finish(self) -> Iterable[AvPacket]:
        """The packets that are left."""
        ...


class CopiedPackets:
    """Packets as they are, moved in time and dropped outside of the cut.

    Times only grow, as muxers want it: what would be shown before the packet before it, or heard
    together with more than half of it, is left out.
    """

    def __init__(self, target: Stream, cut: Cut, *, before_zero: bool) -> None:
        """``before_zero``: whether the container hides what lies before 0.

        Elsewhere a packet that primes a decoder would move the whole file, frames too.
        """
        self._target, self._cut, self._before_zero = target, cut, before_zero
        self._sound = target.type == "audio"
        self._last: int | None = None
        self._end = 0
        self._overlapping = 0

    @property
    def notes(self) -> Iterator[Note]:
        if self._overlapping:
            yield Note(
                "overlap",
                f"{self._overlapping} packets of {self._target.type} that overlap what comes"
                " before them are left out",
            )

    def convert(self, packet: AvPacket) -> list[AvPacket]:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return []
        begin, length = self._cut.moved(time, packet.time_base), packet.duration or 0
        if self._cut.exact:
            # Subtitles reach over the edges of the cut.
            begin, end = self._cut.trimmed(begin, begin + length, packet.time_base)
            length = end - begin
            if length <= 0:
                return []
        if begin < 0 and not self._before_zero:
            if begin + length / 2 <= 0:
                return []
            begin = 0
        if self._overlaps(begin, length):
            self._overlapping += 1
            return []
        self._last, self._end = begin, begin + length
        packet.pts = packet.dts = begin
        packet.duration, packet.stream = length, self._target
        return [packet]

    def _overlaps(self, begin: int, length: int) -> bool:
        if self._last is None:
            return False
        if not self._sound:
            return begin < self._last
        return begin <= self._last or begin < self._end - length / 2

    def finish(self) -> list[AvPacket]:
        return []
