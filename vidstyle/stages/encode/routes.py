"""How the packets of one other stream get into the output."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av
from av.stream import Stream

from vidstyle.stages.encode.cut import Cut

AvPacket: TypeAlias = "av.Packet[Any]"


class Route(Protocol):
    """From packets of the original to packets of the output."""

    def convert(self, packet: AvPacket) -> list[AvPacket]:
        """What can be written now, in the output's time. Raises av's errors for damage."""
        ...

    def finish(self) -> list[AvPacket]:
        """What was held back."""
        ...


class Copied:
    """Packets as they are, moved in time and dropped outside of the cut."""

    def __init__(self, target: Stream, cut: Cut, *, before_zero: bool) -> None:
        """``before_zero``: whether the container hides what lies before 0.

        Elsewhere a packet that primes a decoder would move the whole file, images too.
        """
        self._target, self._cut, self._before_zero = target, cut, before_zero

    def convert(self, packet: AvPacket) -> list[AvPacket]:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return []
        begin, length = self._cut.moved(time, packet.time_base), packet.duration or 0
        if self._cut.exact:
            end = begin + length
            begin, length = self._trimmed(begin, end, packet.time_base)
            if length <= 0:
                return []
        if begin < 0 and not self._before_zero:
            if begin + length / 2 <= 0:
                return []
            begin = 0
        packet.dts = begin if packet.dts is None else packet.dts + begin - time
        packet.pts, packet.duration, packet.stream = begin, length, self._target
        return [packet]

    def finish(self) -> list[AvPacket]:
        return []

    def _trimmed(self, begin: int, end: int, time_base: Fraction) -> tuple[int, int]:
        """Start and duration of what lies inside of the cut; subtitles reach over its edges."""
        start = max(begin, 0)
        if self._cut.end is not None:
            end = min(end, int((self._cut.end - self._cut.start) / time_base))
        return start, end - start
