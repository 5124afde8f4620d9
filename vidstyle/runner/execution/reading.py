"""The source and what is read beside it, as parcels: those of the wanted interval, timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction

from vidstyle.core.errors import InputError
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.core.source import Mark, Source
from vidstyle.runner.execution.edge import Clock, Edge
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.parcel import Cell, Parcel
from vidstyle.runner.execution.side_reading import SideReading
from vidstyle.runner.storage.checkpoint import Checkpoint


class Reading:
    """Iterate it once."""

    def __init__(
        self,
        source: Source,
        plan: Plan,
        inputs: Sequence[SideReading] = (),
        after: Checkpoint | None = None,
    ) -> None:
        self.seconds = 0.0
        """Time spent inside the source and the side inputs."""
        self.start: Fraction | None = None
        """When the first wanted frame is shown, in seconds on the file's clock."""
        self._source, self._plan, self._inputs = source, plan, inputs
        self._origin: Fraction | None = None
        self._after = None if after is None else after.mark
        if after is not None:
            self._origin, self.start = after.clock.origin, after.clock.start

    def __iter__(self) -> Iterator[Parcel]:
        first, stop = self._plan.frames
        index = -1 if self._after is None else self._after.index
        for frame, mark in self._frames():
            index = frame.index
            if self._origin is None:
                self._origin = self._time(frame)
            if stop is not None and index >= stop:
                return
            if index >= first:
                yield self._parcel(frame, mark)
        if index < first:
            raise InputError(
                f"--frames starts at {first}, but the input has {index + 1} frames"
                if first
                else "no frame of the input can be decoded"
            )

    def _frames(self) -> Generator[tuple[Frame, Callable[[], Mark] | None], None, None]:
        """Each with the place before it; none before the first."""
        frames = iter(self._source.frames(self._after))
        index = mark = None
        while True:
            if index is not None:
                mark = guarded(self._plan.source.name, index, self._source.mark)
            started = time.perf_counter()
            frame = guarded(self._plan.source.name, index, lambda: next(frames, None))
            self.seconds += time.perf_counter() - started
            if frame is None:
                return
            index = frame.index
            yield frame, mark

    def _parcel(self, frame: Frame, mark: Callable[[], Mark] | None) -> Parcel:
        now = self._time(frame)
        if self.start is None:
            self.start = now
        assert self._origin is not None
        edge = None if mark is None else Edge(mark, Clock(self._origin, self.start))
        cells = {name: Cell(layer) for name, layer in frame.layers.items()}
        cells["image"] = cells["source"]
        cells |= self._beside(frame)
        parcel = Parcel(frame.index, frame.pts, frame.duration, now - self.start, cells, edge=edge)
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
