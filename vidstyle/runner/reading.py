"""The source as a stream of parcels: those of the wanted interval, timed."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from fractions import Fraction

from vidstyle.core.errors import InputError
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.core.source import Source
from vidstyle.runner.guard import guarded
from vidstyle.runner.parcel import Cell, Parcel


class Reading:
    """Iterate it once."""

    def __init__(self, source: Source, plan: Plan) -> None:
        self.seconds = 0.0
        """Time spent inside the source."""
        self.start: Fraction | None = None
        """When the first wanted frame is shown, in seconds on the file's clock."""
        self._source, self._plan = source, plan

    def __iter__(self) -> Iterator[Parcel]:
        first, stop = self._plan.frames
        index = -1
        for frame in self._frames():
            index = frame.index
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
        now = frame.pts * self._plan.source.clip.time_base
        if self.start is None:
            self.start = now
        cells = {name: Cell(layer) for name, layer in frame.layers.items()}
        cells["image"] = cells["source"]
        parcel = Parcel(frame.index, frame.pts, frame.duration, now - self.start, cells)
        return parcel.only(self._plan.source.keeps)
