"""Decoded sound as spans without a gap, each with the time at which it begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from av.audio.frame import AudioFrame

from vidstyle.media.sound import SoundLayout, read_layout

# Seconds. Files round times to as much as 1 ms, and nobody hears or sees this much.
TOLERANCE: Final = Fraction(3, 1000)
# Frames that must agree that sound is late or early: times of live recordings jitter.
_AGREEING: Final = 12


@dataclass(frozen=True, slots=True)
class SoundForm:
    """How the samples of a frame are to be read."""

    format: str
    stored: str
    """The layout that its frames have."""
    layout: SoundLayout
    """Where its channels belong."""
    rate: int

    @property
    def plain(self) -> bool:
        """Whether the channels are stored where they belong."""
        return self.layout.order is None and self.stored == self.layout.name


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """A frame of sound in a row of frames that follow one another."""

    frame: AudioFrame
    form: SoundForm
    begins: Fraction | None
    """Seconds on the file's clock where a span begins; None where the last one continues."""


@dataclass(slots=True)
class _Waiting:
    frame: AudioFrame
    form: SoundForm
    start: Fraction | None
    length: Fraction


class SoundClock:
    """Finds where sound is missing, where it overlaps and where its form changes.

    Within a span samples follow one another, whatever the times of single frames are. A span ends
    where all of the next frames are late, or all early, by more than ``TOLERANCE``: then sound
    stays as near to the file's clock to its end.
    """

    def __init__(self, layout: SoundLayout) -> None:
        """``layout`` is that of frames that do not know their own."""
        self._layout = layout
        self._waiting: deque[_Waiting] = deque()
        self._end: Fraction | None = None
        self._form: SoundForm | None = None

    def push(self, frame: AudioFrame) -> Iterator[SoundPiece]:
        """Take the next frame; returns the pieces that it makes certain."""
        if not frame.samples or not frame.sample_rate:
            return
        layout = self._layout_of(frame)
        form = SoundForm(frame.format.name, frame.layout.name, layout, frame.sample_rate)
        start = None if frame.pts is None else frame.pts * Fraction(frame.time_base or 0)
        length = Fraction(frame.samples, frame.sample_rate)
        self._waiting.append(_Waiting(frame, form, start, length))
        if len(self._waiting) >= _AGREEING:
            yield self._next_piece()

    def finish(self) -> Iterator[SoundPiece]:
        """What still waits for others."""
        while self._waiting:
            yield self._next_piece()

    def _layout_of(self, frame: AudioFrame) -> SoundLayout:
        found = read_layout(frame)
        # Decoders of plain samples pass on the layout that they were given.
        return self._layout if found.count == self._layout.count else found

    def _next_piece(self) -> SoundPiece:
        begins = self._beginning()
        first = self._waiting.popleft()
        if begins is not None:
            self._end = begins
        assert self._end is not None
        self._end += first.length
        self._form = first.form
        return SoundPiece(first.frame, first.form, begins)

    def _beginning(self) -> Fraction | None:
        """When the first of the waiting frames begins, if it does not continue the last span."""
        first = self._waiting[0]
        if self._end is None:
            return first.start or Fraction(0)
        late = list(self._lateness(self._end))
        if 2 * len(late) >= len(self._waiting):
            if min(late) > TOLERANCE:
                return self._end + min(late)
            if max(late) < -TOLERANCE:
                return self._end + max(late)
        return self._end if first.form != self._form else None

    def _lateness(self, end: Fraction) -> Iterator[Fraction]:
        """By how much each waiting frame is later than its place behind the one before."""
        for waiting in self._waiting:
            if waiting.start is not None:
                yield waiting.start - end
            end += waiting.length
