"""Files that say when frames are decoded, and not when they are shown: AVI, MXF and others.

The decoder puts frames in order, and each keeps the time of its packet. The times of frames that
are reordered are then a permutation of the right ones.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

# Frames by which a coded one may come before its turn, in H.264 and H.265.
_MOST: Final = 16


class PresentationOrder:
    """Gives frames the times of their packets in order."""

    def __init__(self) -> None:
        self._times: list[int] = []

    def see(self, pts: int | None) -> None:
        """Take the time of the next packet."""
        if pts is not None:
            insort(self._times, pts)

    def lose(self, pts: int | None) -> None:
        """Take back the time of a packet that gives no frame."""
        if pts is not None:
            at = bisect_left(self._times, pts)
            if self._times[at : at + 1] == [pts]:
                del self._times[at]

    def next_time(self, pts: int | None) -> int | None:
        """The time of the next frame that is shown, given that of its own packet."""
        if pts is None or not self._times:
            return pts
        # A packet without a frame has left its time behind.
        late = bisect_left(self._times, pts) - _MOST
        del self._times[: max(0, late)]
        return self._times.pop(0) if self._times else pts


def only_grow(times: Sequence[int | None]) -> bool:
    """Whether no time that is known is earlier than the one before it."""
    known = [time for time in times if time is not None]
    return all(now < following for now, following in pairwise(known))
