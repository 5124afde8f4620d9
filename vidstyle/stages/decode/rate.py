"""How regular a stream's times are, from its index or its first packets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from typing import Final

from av.video.stream import VideoStream

from vidstyle.stages.decode.stream_decoder import StreamDecoder
from vidstyle.stages.decode.timestamps import REORDERED

# Digits alone: an exponent of a few more would take a Fraction all memory.
_CLOCK: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,18})?)")
# Entries of an index, at most: a file of two kilobytes may have one of many millions.
_ENTRIES: Final = 200_000
# Packets to find the rate by, where the file has no index of all frames.
_PACKETS: Final = 240


def frame_rate_of(reader: StreamDecoder) -> Fraction | None:
    """Frames a second where it is constant to one tick of the time base, else None.

    By the file's index where it is full (its first two hours or so), else by its first packets.
    Reads from the current position.
    """
    times = _index_times(reader.stream) or _packet_times(reader)
    for rate in (reader.stream.average_rate, reader.stream.guessed_rate):
        if rate and is_regular(times, 1 / (rate * reader.time_base)):
            return Fraction(rate)
    return None


def step_of(stream: VideoStream, time_base: Fraction) -> int:
    """The usual duration of a frame in ticks, at least 1."""
    rate = stream.guessed_rate or stream.average_rate or 25
    return max(1, round(1 / (rate * time_base)))


def is_regular(times: Sequence[int], interval: Fraction) -> bool:
    """Whether the n-th time is n intervals after the first, give or take a tick."""
    return all(abs(time - times[0] - n * interval) <= 1 for n, time in enumerate(times))


def frame_count_of(stream: VideoStream, rate: Fraction | None) -> int | None:
    """How many frames there will be, as far as the container says."""
    if stream.frames:
        return stream.frames
    end = end_seconds_of(stream)
    return round((end - start_seconds_of(stream)) * rate) if end and rate else None


def start_seconds_of(stream: VideoStream) -> Fraction:
    """When the first frame is shown, on the file's own clock."""
    return (stream.start_time or 0) * (stream.time_base or Fraction(1))


def end_seconds_of(stream: VideoStream) -> Fraction | None:
    """When the last frame ends, on the file's own clock, if the file says it of this stream."""
    if stream.duration and stream.time_base:
        return start_seconds_of(stream) + stream.duration * stream.time_base
    # In Matroska the tag is an end, not a length.
    return _clock_text(stream.metadata.get("DURATION", ""))


def _clock_text(text: str) -> Fraction | None:
    """Matroska's way to write a time: 00:00:10.333000000."""
    match = _CLOCK.fullmatch(text.strip("\0 "))
    if match is None:
        return None
    hours, minutes, seconds = (Fraction(part) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _index_times(stream: VideoStream) -> list[int]:
    entries = stream.index_entries
    if not stream.frames or len(entries) != stream.frames:
        return []
    times = sorted(entry.timestamp for entry in islice(entries, _ENTRIES))
    # What comes first in the file is not all that is shown first.
    return times if len(entries) <= _ENTRIES else times[:-REORDERED]


def _packet_times(reader: StreamDecoder) -> list[int]:
    packets = islice(reader.packets(), _PACKETS)
    return sorted(packet.pts for packet in packets if packet.pts is not None)
