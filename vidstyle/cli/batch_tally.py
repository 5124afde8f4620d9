"""How far a batch is: clips, frames, and the time that is left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from vidstyle.runner.batch import BatchEvent, Looked
from vidstyle.runner.execution.events import FrameDone, Resumed
from vidstyle.runner.job import Outlook
from vidstyle.runner.schedule import Begun, Outcome, Progress


@dataclass(slots=True)
class RunningClip:
    """One clip that runs."""

    done: int = 0
    """Frames, those of an earlier run included."""
    total: int | None = None
    resumed: int = 0
    """Frames of an earlier run."""
    began: float = field(default_factory=time.perf_counter)


class BatchTally:
    """Counts what the events of a batch say.

    Args:
        clips: How many there are.
    """

    def __init__(self, clips: int) -> None:
        self.clips = clips
        self.ended = 0
        """Clips with an outcome."""
        self.running: dict[Path, RunningClip] = {}
        """By their inputs, in the order in which they began."""
        self._expected: dict[Path, int | None] = {}
        # Frames of each clip that has not ended, where they are known.
        self._computed, self._finished = 0, 0
        # Frames of ended clips: those that this batch has computed, and all.
        self._began = time.perf_counter()

    def take(self, event: BatchEvent) -> None:
        """Count an event."""
        match event:
            case Looked(jobs, outlooks):
                self._began = time.perf_counter()
                for job, seen in zip(jobs, outlooks, strict=True):
                    if isinstance(seen, Outlook):
                        self._expected[job.input] = seen.frames
            case Begun(job):
                self.running[job.input] = RunningClip(total=self._expected.get(job.input))
            case Progress(job, Resumed(frames)):
                clip = self.running[job.input]
                clip.resumed = clip.done = frames
            case Progress(job, FrameDone(_, done, total, _)):
                clip = self.running[job.input]
                clip.done, clip.total = done, total
            case Outcome(job):
                self._end(job.input, event)

    @property
    def frames(self) -> int:
        """Frames that are there, of all clips that this batch has begun."""
        return self._finished + sum(clip.done for clip in self.running.values())

    @property
    def total(self) -> int | None:
        """Frames that there will be; None where no clip says how many it has."""
        known = [count for count in self._expected.values() if count is not None]
        if not known and not self._finished:
            return None
        mean = sum(known) / len(known) if known else 0.0
        guessed = sum(mean for count in self._expected.values() if count is None)
        return max(round(self._finished + sum(known) + guessed), self.frames)

    @property
    def rate(self) -> float:
        """Frames that the batch computes a second."""
        computed = self._computed + sum(c.done - c.resumed for c in self.running.values())
        return computed / max(time.perf_counter() - self._began, 1e-6)

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None before there is one."""
        if self.total is None or not self.rate:
            return None
        return (self.total - self.frames) / self.rate

    def _end(self, path: Path, outcome: Outcome) -> None:
        self.ended += 1
        self._expected.pop(path, None)
        clip = self.running.pop(path, None)
        if clip is not None and outcome.state == "done" and outcome.result is not None:
            self._finished += outcome.result.frames
            self._computed += outcome.result.frames - clip.resumed
