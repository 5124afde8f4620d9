"""Files that say when frames are decoded, and not when they are shown: AVI, MXF and others.

The decoder puts frames in order, and each keeps the time of its packet. The times of frames that
are reordered are then a permutation of the right ones.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise


class PresentationOrder:
    """Gives frames the times of their packets in order."""

    def __init__(self) -> None:
        self._times: list[int] = []
        # Of packets whose frames are not there yet.
        self._waiting: list[int] = []

    def see(self, pts: int | None) -> None:
        """Take the time of the next packet."""
        if pts is not None:
            insort(self._times, pts)
            insort(self._waiting, pts)

    def lose(self, pts: int | None) -> None:
        """Take back the time of a packet that gives no frame."""
        if pts is not None:
            _remove(self._times, pts)
            _remove(self._waiting, pts)

    def next_time(self, pts: int | None, depth: int) -> int | None:
        """The time of the next frame that is shown.

        Args:
            pts: That of its own packet.
            depth: How many frames may be decoded before it and shown behind it. Where more packets
                are waiting, those in front give no frame: they show the last one again.
        """
        if pts is None or not self._times:
            return pts
        _remove(self._waiting, pts)
        before = bisect_left(self._waiting, pts)
        for lost in self._waiting[: max(0, before - depth)]:
            self.lose(lost)
        return self._times.pop(0) if self._times else pts


def _remove(times: list[int], time: int) -> None:
    at = bisect_left(times, time)
    if times[at : at + 1] == [time]:
        del times[at]


def only_grow(times: Sequence[int | None]) -> bool:
    """Whether no time that is known is earlier than the one before it."""
    known = [time for time in times if time is not None]
    return all(now < following for now, following in pairwise(known))
