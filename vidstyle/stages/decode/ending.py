"""When the last frame of an mp4 or mov ends, whose packets tell when they are decoded."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

_REORDERED: Final = 32
# Frames that a coded one may be ahead of its place, and more.


class _Seen(NamedTuple):
    pts: int
    dts: int
    duration: int


class Ending:
    """Watches a stream's packets for what the last ones say of the stream's end.

    These files have no durations of frames but intervals between decoding times, which FFmpeg
    hands on as durations. Where frames are reordered, a writer of true intervals between
    presentation times gives a long last frame's duration to the packet that is decoded last.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._stream = stream
        self._intervals = "mp4" in container.format.name.split(",")
        self._recent: deque[_Seen] = deque(maxlen=_REORDERED)

    def see(self, packet: Packet[VideoStream]) -> None:
        """Take note of the next packet in the file."""
        if self._intervals and packet.pts is not None and packet.dts is not None:
            self._recent.append(_Seen(packet.pts, packet.dts, packet.duration or 0))

    def forget(self) -> None:
        """What follows is from elsewhere in the file."""
        self._recent.clear()

    def ticks(self) -> int | None:
        """The stream's end in its time base, or None where the last frame says it better.

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

    def _is_last(self, packet: _Seen) -> bool:
        """Whether the stream ends with it, rather than by an edit or half of a download."""
        entries = self._stream.index_entries
        if not len(entries):
            return False
        return packet.dts + packet.duration == entries[0].timestamp + (self._stream.duration or 0)
