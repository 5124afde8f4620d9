"""From the clocks of chunks to the times of the clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

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

    Decoding times always grow and are never after the presentation of the same packet. From
    the first one to the last packet's end they take as long as the clip: mp4 and mov store the
    intervals between decoding times and no durations.
    """

    times: Sequence[FrameTime]
    order: Sequence[int]
    """The numbers of the frames as their packets follow one another."""
    most_ahead: int | None = None
    """Ticks by which all decoding may run ahead so that such an interval is how long the frame
    before it is shown; None where the container stores durations."""

    @property
    def delay(self) -> int:
        """By how many frames decoding must run ahead of presentation."""
        return reorder_delay(self.order)

    def packets(self, segments: Iterable[Segment]) -> Iterator[TimedPacket]:
        """Every packet in decoding order. Raises OutputError where they do not fit the times."""
        decoded = self._decoded()
        for number, (packet, frame) in enumerate(_numbered(segments, len(self.times))):
            shown, dts = self.times[frame], decoded[number]
            duration = shown.duration
            if self.most_ahead is not None and number == len(decoded) - 1:
                # No later packet ends this interval; the sum of all is the file's length.
                duration = self._end - self._start - (dts - decoded[0])
            yield TimedPacket(packet, shown.pts, dts, duration)

    def _decoded(self) -> list[int]:
        """Decoding times of all packets.

        FFmpeg and players take the interval after a packet for the duration of its frame. To
        make it that, all decoding must run ahead by a long frame that is decoded before others
        that are shown first. Players that know no edit lists then show the video late by as
        much, and all must buffer as much of it when sound begins. Beyond ``most_ahead`` the
        file's length, the time of each frame and what players show are still right.
        """
        if self.most_ahead is not None:
            own = self._by_own_durations()
            if self._start - own[0] <= self.most_ahead and self._keeps_start(own):
                return own
        return self._sorted()

    def _by_own_durations(self) -> list[int]:
        shown = [frame.pts for frame in self.times] + [self._end]
        gaps = (shown[frame + 1] - shown[frame] for frame in self.order[:-1])
        decoded = list(accumulate(gaps, initial=self._start))
        ahead = max(at - shown[frame] for at, frame in zip(decoded, self.order, strict=True))
        return [at - ahead for at in decoded]

    def _keeps_start(self, decoded: Sequence[int]) -> bool:
        """Whether FFmpeg reads from an mp4 when the first frame is shown.

        For a clip that starts after 0 its muxer takes the least time from decoding to showing
        of the packets up to 0 for that of the first one, and its demuxer takes the difference
        off the start.
        """
        return self._start == 0 or all(
            self._shown(number) - at >= self._start - decoded[0]
            for number, at in enumerate(decoded)
            if at <= 0
        )

    def _sorted(self) -> list[int]:
        """The sorted presentation times, ``delay`` frames late."""
        shown, delay = [frame.pts for frame in self.times], self.delay
        kept = len(shown) - delay
        # What goes before the first frame takes as long as what is left out at the end, so that
        # the last interval is that of the last frame.
        turn = shown[-1] - shown[0]
        lead = [at - turn for at in shown[kept - 1 : -1]]
        following = shown[0]
        for number in reversed(range(delay)):
            # Not late for its own frame, or the start is lost.
            latest = lead[0] + self._shown(number) - shown[0]
            following = lead[number] = min(lead[number], latest, following - 1)
        return lead + shown[:kept]

    def _shown(self, number: int) -> int:
        """When the frame of a packet is shown."""
        return self.times[self.order[number]].pts

    @property
    def _start(self) -> int:
        return self.times[0].pts

    @property
    def _end(self) -> int:
        return self.times[-1].pts + self.times[-1].duration


def decoding_order(segments: Iterable[Segment], frames: int) -> list[int]:
    """The numbers of a clip's frames as their packets follow one another.

    Raises OutputError where the packets are not those of so many frames.
    """
    return [frame for _, frame in _numbered(segments, frames)]


def reorder_delay(order: Iterable[int]) -> int:
    """By how many frames decoding must run ahead of presentation."""
    return max((number - frame for number, frame in enumerate(order)), default=0)


def _numbered(segments: Iterable[Segment], frames: int) -> Iterator[tuple[Packet, int]]:
    """Every packet with the number of its frame in the clip."""
    first, number = 0, 0
    for segment in segments:
        for packet in segment.packets():
            if not 0 <= packet.pts < segment.frames or number >= frames:
                raise OutputError(
                    f"the stored packet {number} belongs to no frame; run again from the start"
                )
            yield packet, first + packet.pts
            number += 1
        first += segment.frames
    if not number == first == frames:
        raise OutputError(
            f"{number} packets are stored for {frames} frames; run again from the start"
        )
