"""Reads the source, and the side inputs in step with it: the wanted frames, with their time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from fractions import Fraction

from vidstyle.core.errors import InputError
from vidstyle.core.frame import Frame
from vidstyle.core.plan import Plan
from vidstyle.core.source import Mark, Source
from vidstyle.runner.execution.checkpoints import CheckpointParts, Checkpoints
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.side_reading import SideReading
from vidstyle.runner.storage.checkpoint import Clock


class FrameReader:
    """The source of one run; call ``run`` once."""

    def __init__(
        self,
        source: Source,
        plan: Plan,
        inputs: Sequence[SideReading] = (),
        *,
        checkpoints: Checkpoints | None = None,
        resume: tuple[Mark, Clock] | None = None,
    ) -> None:
        """Read from the first frame, or after the mark of an earlier run with its clock."""
        self.guard = Guard(plan.source.name)
        self._source, self._inputs = source, inputs
        self._frames, self._keeps = plan.frames, plan.source.keeps
        self._time_base = plan.source.clip.time_base
        self._checkpoints = checkpoints
        self._after: Mark | None = None
        self._clock: Clock | None = None
        if resume is not None:
            self._after, self._clock = resume

    @property
    def clock(self) -> Clock:
        """When the file and the wanted part of it begin; known with the first frame."""
        assert self._clock is not None
        return self._clock

    def run(self) -> Generator[Frame, None, None]:
        """The frames of the wanted interval.

        Raises InputError where it begins behind the end of the input.
        """
        first, stop = self._frames
        frames = iter(self._source.frames(self._after))
        index = -1 if self._after is None else self._after.index
        origin = None if self._clock is None else self._clock.origin
        end = Fraction(0)
        mark: Callable[[], Mark] | None = None
        frame = self.guard(None, next, frames, None)
        while frame is not None:
            index = frame.index
            now = frame.pts * self._time_base
            origin = now if origin is None else origin
            end = now + frame.duration * self._time_base - origin
            if index >= first:
                self._clock = clock = self._clock or Clock(origin, now)
                yield self._timed(frame, now, clock, mark)
            if index + 1 == stop:
                return
            mark = self.guard(index, self._source.mark)
            frame = self.guard(index, next, frames, None)
        if frame is None:
            for side in self._inputs:
                side.finish(end)
        if index < first and frame is None:
            raise InputError(
                f"--frames starts at {first}, but the input has {index + 1} frames"
                if first
                else "no frame of the input can be decoded"
            )

    def _timed(
        self, frame: Frame, now: Fraction, clock: Clock, mark: Callable[[], Mark] | None
    ) -> Frame:
        """The frame with its time, the layers that somebody reads, and a checkpoint before it."""
        checkpoint = mark is not None and self._checkpoints is not None
        if mark is not None and self._checkpoints is not None:
            self._checkpoints[frame.index] = CheckpointParts(mark)
        layers = {"image": frame.lazy_layer("source")}
        if self._inputs:
            # Their clocks start with the file's first frame, not with the first one wanted: an
            # interval shows what the whole clip would show there.
            since, started = now - clock.origin, time.perf_counter()
            layers |= {side.name: side.at(frame.index, since) for side in self._inputs}
            self.guard.seconds += time.perf_counter() - started
        kept = frame.write(layers, self._keeps)
        return replace(kept, time=now - clock.start, checkpoint=checkpoint)
