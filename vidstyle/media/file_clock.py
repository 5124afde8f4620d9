"""Jumps of a file's clock, as where recordings were joined: found, and closed up alike everywhere.

The video's decoding times decide: they grow in every good file. A file of which each part has a
clock of its own goes on, after a jump, one frame after the frame before it. Transmissions, whose
clock began before them, begin at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import av
from av.container import InputContainer
from av.container.core import Container
from av.video.stream import VideoStream

from vidstyle.core import Note

AvPacket: TypeAlias = "av.Packet[Any]"

# Formats of transmissions, in which a clock may start again at any time.
_TRANSMITTED: Final = frozenset({"mpegts", "mpeg", "wtv"})
# Formats with an index of all packets by their time.
_INDEXED: Final = frozenset({"mp4", "avi"})
# Seconds. FFmpeg's own tools take longer waits in a transmission for jumps, too.
_LONGEST_WAIT: Final = 10
# Seconds after which the clock of a transmission starts again: 33 bits at 90 kHz (ISO 13818-1).
# FFmpeg takes a jump back by more than a minute for that.
_ROUND: Final = Fraction(1 << 33, 90_000)
# Seconds around a jump of the video in which other streams follow it.
_NEAR: Final = 5


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a file with one clock."""

    begins: Fraction
    """Decoding time of its first video packet, in seconds on its own clock."""
    shift: Fraction
    """Seconds from its own clock to that of the whole file."""


def is_transmission(container: Container) -> bool:
    """Whether a format is one in which a clock may start again at any time."""
    return bool(_TRANSMITTED.intersection(container.format.name.split(",")))


class JumpFinder:
    """Follows one video stream's packets through a file."""

    def __init__(self, stream: VideoStream) -> None:
        self._transmitted = is_transmission(stream.container)
        self._tick = stream.time_base or Fraction(1, av.time_base)
        rate = stream.guessed_rate or stream.average_rate or 25
        self._step = max(1, round(1 / (rate * self._tick)))
        self._last: int | None = None
        # What a transmission's clock counts from is nobody's business.
        self.origin = (stream.start_time or 0) if self._transmitted else 0
        self._shift = -self.origin
        self.sections: list[Section] = []
        """All up to here; the first begins with the file."""

    def notes(self) -> Iterator[Note]:
        """One line if the clock jumps."""
        if len(self.sections) > 1:
            first, second = self.sections[:2]
            after = float(second.begins + second.shift - first.begins - first.shift)
            jump = float(self._shortest(first.shift - second.shift))
            jumps = "jumps" if len(self.sections) == 2 else f"jumps {len(self.sections) - 1} times"
            text = f"the file's clock {jumps}, by {jump:+.2f} s after {after:.2f} s: closed up"
            yield Note("clock", text)

    def _shortest(self, jump: Fraction) -> Fraction:
        """The jump, or one a round of the clock less where that is shorter."""
        return min(jump, jump - _ROUND, key=abs) if self._transmitted else jump

    def follow(self, packets: Iterable[AvPacket]) -> Iterator[AvPacket]:
        """The same packets with their times moved to one clock; reads one ahead at a jump."""
        waiting: AvPacket | None = None
        for packet in packets:
            if waiting is not None:
                yield self._moved(waiting, packet.dts)
                waiting = None
            if self._may_be_stray(packet):
                waiting = packet
            else:
                yield self._moved(packet, None)
        if waiting is not None:
            yield self._moved(waiting, None)

    def _may_be_stray(self, packet: AvPacket) -> bool:
        """Whether the packet after this one decides what its time is."""
        if self._last is None or packet.dts is None:
            return False
        return self._jumps(self._last, packet.dts)

    def _moved(self, packet: AvPacket, following: int | None) -> AvPacket:
        dts = now = packet.dts
        if dts is not None and now is not None:
            if self._last is None:
                self._begin(now, self._shift)
            elif self._jumps(self._last, now):
                if self._is_stray(following):
                    now = self._last
                else:
                    self._begin(now, self._last + self._shift + self._length(packet) - now)
            self._last = now
            packet.dts = dts + self._shift
        if packet.pts is not None:
            packet.pts += self._shift
        return packet

    def _begin(self, now: int, shift: int) -> None:
        self._shift = shift
        self.sections.append(Section(now * self._tick, shift * self._tick))

    def _length(self, packet: AvPacket) -> int:
        return packet.duration or self._step

    def _jumps(self, before: int, now: int) -> bool:
        waits = self._transmitted and (now - before) * self._tick > _LONGEST_WAIT
        # What is less than half a frame back is rounding, or the jitter of a live recording.
        return 2 * (before - now) >= self._step or waits

    def _is_stray(self, following: int | None) -> bool:
        """Whether the packet behind a jump continues what was before it."""
        if following is None or self._last is None:
            return False
        return following > self._last and not self._jumps(self._last, following)


class SectionFollower:
    """Moves the packets of other streams to the clock that the video's jumps make."""

    def __init__(self, sections: Sequence[Section]) -> None:
        """``sections`` are those of the file; none where its times are right."""
        self._sections = sections
        self._at: dict[int, int] = {}
        self._ends: dict[int, Fraction] = {}

    def move(self, packet: AvPacket) -> None:
        """Give a packet of another stream its time on the file's clock."""
        time = packet.dts if packet.dts is not None else packet.pts
        if not self._sections or time is None or not packet.time_base:
            return
        seconds, index = time * packet.time_base, packet.stream_index
        at = self._at.get(index, 0)
        while at + 1 < len(self._sections) and self._is_next(index, seconds, at):
            at += 1
        self._at[index] = at
        ticks = round(self._sections[at].shift / packet.time_base)
        if packet.dts is not None:
            packet.dts += ticks
        if packet.pts is not None:
            packet.pts += ticks
        length = (packet.duration or 0) * packet.time_base
        self._ends[index] = seconds + self._sections[at].shift + length

    def _is_next(self, index: int, seconds: Fraction, at: int) -> bool:
        """Whether a packet belongs to the section after the one of those before it.

        Streams do not jump at the same packet of the file. What is nearer to where the last packet
        of its stream ended is right, if it is near the video's jump at all.
        """
        now, following = self._sections[at], self._sections[at + 1]
        if abs(seconds - following.begins) > _NEAR:
            return False
        end = self._ends.get(index)
        if end is None:
            return seconds < now.begins - _NEAR or seconds >= following.begins > now.begins
        return abs(seconds + following.shift - end) < abs(seconds + now.shift - end)


def read_sections(container: InputContainer, video: VideoStream) -> list[Section]:
    """The sections of a file, by all of its video's packets; none where an index has their times.

    Reads to the end of the container.
    """
    if _INDEXED.intersection(container.format.name.split(",")):
        return []
    finder = JumpFinder(video)
    try:
        for _ in finder.follow(packet for packet in container.demux(video) if packet.size):
            pass
    except av.error.FFmpegError:
        # What cannot be read here cannot be read by others either.
        pass
    return finder.sections
