"""The source and what is read beside it, as parcels: those of the wanted interval, timed."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction

from vidstyle.core.errors import InputError
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.core.source import Source
from vidstyle.runner.guard import guarded
from vidstyle.runner.parcel import Cell, Parcel
from vidstyle.runner.side_reading import SideReading


class Reading:
    """Iterate it once."""

    def __init__(self, source: Source, plan: Plan, inputs: Sequence[SideReading] = ()) -> None:
        self.seconds = 0.0
        """Time spent inside the source and the side inputs."""
        self.start: Fraction | None = None
        """When the first wanted frame is shown, in seconds on the file's clock."""
        self._source, self._plan, self._inputs = source, plan, inputs
        self._origin: Fraction | None = None

    def __iter__(self) -> Iterator[Parcel]:
        first, stop = self._plan.frames
        index = -1
        for frame in self._frames():
            index = frame.index
            if self._origin is None:
                self._origin = self._time(frame)
            if stop is not None and index >= stop:
                return
            if index >= first:
                yield self._parcel(frame)
        if index < first:
            raise InputError(
                f"--frames starts at {first}, but the input has {index + 1} frames"
                if first
                else "no frame of the input can be decoded"
            )

    def _frames(self) -> Generator[Frame, None, None]:
        frames = iter(self._source.frames())
        index = None
        while True:
            started = time.perf_counter()
            frame = guarded(self._plan.source.name, index, lambda: next(frames, None))
            self.seconds += time.perf_counter() - started
            if frame is None:
                return
            index = frame.index
            yield frame

    def _parcel(self, frame: Frame) -> Parcel:
        now = self._time(frame)
        if self.start is None:
            self.start = now
        cells = {name: Cell(layer) for name, layer in frame.layers.items()}
        cells["image"] = cells["source"]
        cells |= self._beside(frame)
        parcel = Parcel(frame.index, frame.pts, frame.duration, now - self.start, cells)
        return parcel.only(self._plan.source.keeps)

    def _beside(self, frame: Frame) -> dict[str, Cell]:
        """The layers of the side inputs, whose clocks start with the file's first frame.

        Not with the first one wanted: an interval shows what the whole clip would show there.
        """
        assert self._origin is not None
        started = time.perf_counter()
        since = self._time(frame) - self._origin
        cells = {side.name: side.at(frame.index, since) for side in self._inputs}
        self.seconds += time.perf_counter() - started
        return cells

    def _time(self, frame: Frame) -> Fraction:
        """Seconds on the file's clock."""
        return frame.pts * self._plan.source.clip.time_base
