"""From the clocks of chunks to the times of the clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vidstyle.core import FrameTime, Packet, Segment
from vidstyle.core.errors import OutputError


@dataclass(frozen=True, slots=True)
class TimedPacket:
    """A packet with its times in the clip's time base."""

    packet: Packet
    pts: int
    dts: int
    duration: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """When frames are shown and their packets decoded, in the clip's time base.

    Decoding times are the sorted presentation times, ``delay`` frames late: never after the
    presentation of the same packet and always growing, whatever the intervals are.
    """

    times: Sequence[FrameTime]
    delay: int
    sums_decoding: bool = False
    """True for containers whose length is the sum of decoding intervals (mp4, mov)."""

    def packets(self, segments: Iterable[Segment]) -> Iterator[TimedPacket]:
        """Every packet in decoding order. Raises OutputError where they do not fit the times."""
        first, number = 0, 0
        for segment in segments:
            for packet in segment.packets():
                if not 0 <= packet.pts < segment.frames or number >= len(self.times):
                    raise OutputError(
                        f"the stored packet {number} belongs to no frame; run again from the start"
                    )
                yield self._timed(packet, number, self.times[first + packet.pts])
                number += 1
            first += segment.frames
        if not number == first == len(self.times):
            raise OutputError(
                f"{number} packets are stored for {len(self.times)} frames; "
                "run again from the start"
            )

    def _timed(self, packet: Packet, number: int, shown: FrameTime) -> TimedPacket:
        dts, duration = self._decoded_at(number), shown.duration
        if self.sums_decoding and number == len(self.times) - 1:
            # Makes the sum reach from the first frame's start to the last one's end.
            duration = self._end - dts - self.delay * self._lead
        return TimedPacket(packet, shown.pts, dts, duration)

    def _decoded_at(self, number: int) -> int:
        if number >= self.delay:
            return self.times[number - self.delay].pts
        return self.times[0].pts - (self.delay - number) * self._lead

    @property
    def _end(self) -> int:
        return self.times[-1].pts + self.times[-1].duration

    @property
    def _lead(self) -> int:
        """Ticks between the packets decoded before the first frame is shown."""
        if not self.delay or len(self.times) < 2:
            return 1
        remaining = self._end - self._decoded_last
        usual = self.times[1].pts - self.times[0].pts
        return max(1, min(usual, (remaining - 1) // self.delay))

    @property
    def _decoded_last(self) -> int:
        return self.times[max(0, len(self.times) - 1 - self.delay)].pts


def reorder_delay(segments: Iterable[Segment]) -> int:
    """By how many frames decoding must run ahead of presentation."""
    delays = (
        number - packet.pts
        for segment in segments
        for number, packet in enumerate(segment.packets())
    )
    return max(delays, default=0)
