"""Where a run may resume: numbers chunks, and decides at which frames checkpoints are gathered.

A checkpoint is a cut through frame numbers, not through time: stages with look-ahead are further
on than later ones, so each gives its state when it meets the frame, which says so
(``Frame.checkpoint``). Nobody knows which frames begin a chunk before shots are numbered: up to
there every frame says so, and what was gathered for it is dropped if it turns out not to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from vidstyle.core.frame import Frame
from vidstyle.core.layers import CUT
from vidstyle.core.source import Mark
from vidstyle.core.stop import StopRequest
from vidstyle.runner.storage.checkpoint import (
    Checkpoint,
    ChunkPosition,
    Clock,
    SavedStates,
    StageState,
)


@dataclass(frozen=True, slots=True)
class PauseRule:
    """When the finished frames of a chunk are kept before it ends, for a run that is stopped.

    Those of slow pipelines always are. Those of others are while that is cheap; else a chunk takes
    only seconds.
    """

    every: float = 60.0
    """Seconds between two checkpoints inside a chunk."""
    slow: float = 0.25
    """Seconds a frame, from which on a pipeline is slow."""
    rate: int = 64 * 2**20
    """Bytes a second that are written for a pipeline that is not slow."""
    most: int = 2**30
    """Bytes of the finished frames of a chunk, for a pipeline that is not slow."""
    stop: StopRequest = field(default_factory=StopRequest)
    """Where it has a reason, each frame is a place to stop at."""


@dataclass(slots=True)
class CheckpointParts:
    """What has been gathered of one checkpoint."""

    mark: Callable[[], Mark]
    """Gives the source's place before the frame."""
    states: dict[str, StageState] = field(default_factory=dict)
    """By the name of the stage."""
    position: ChunkPosition | None = None
    """Where numbering stood before the frame; None until the checkpoint is known to be wanted."""

    def whole(self, stages: int, clock: Clock) -> Checkpoint | None:
        """The checkpoint; None where not all of so many ``stages`` gave a state.

        One inside a span has none.
        """
        if len(self.states) < stages:
            return None
        assert self.position is not None
        return Checkpoint(self.mark(), clock, self.position, SavedStates(self.states))


Checkpoints: TypeAlias = dict[int, CheckpointParts]
"""Checkpoints that a run is gathering, by the index of the frame behind each.

The parts of a run write to it from threads of their own. Each entry is there before its frame
leaves the source, and each part is one assignment, so that no lock is needed.
"""


class ChunkNumbering:
    """Counts cuts into shots and frames into chunks, and decides where checkpoints are gathered.

    A chunk, the unit of work that is encoded and saved whole, ends at the first cut after
    ``least`` frames, or at ``most``, and where a long shot is cut. It depends on the frames alone.
    """

    def __init__(
        self,
        chunk: tuple[int, int],
        checkpoints: Checkpoints | None = None,
        rule: PauseRule | None = None,
        position: ChunkPosition | None = None,
        *,
        part: int | None = None,
        first: int = 0,
        overlap: int = 0,
        stop: int | None = None,
        ahead: int = 0,
    ) -> None:
        """Number frames from the first one on, or from where an earlier run stood.

        Args:
            chunk: ``least`` and ``most``.
            checkpoints: Where they are gathered.
            rule: Says when they are, beside the first frames of chunks.
            position: Before the frame ``first``; None at the beginning.
            part: Frames after which a shot is cut; None for never.
            first: Index of the first frame that counts; those before it are left out.
            overlap: So many frames before it are handed on all the same, as of its shot.
            stop: Index of the first frame behind the run of chunks; None for all.
            ahead: So many frames from there on are handed on, for who looks ahead.
        """
        self._first_index, self._overlap = first, overlap
        self._stop, self._ahead = stop, ahead
        self._least, self._most = chunk
        self._part = part
        self._checkpoints = {} if checkpoints is None else checkpoints
        self._rule = rule or PauseRule()
        self._first = position is None
        self._position = position or ChunkPosition()
        self._last_pause = time.monotonic()

    @property
    def position(self) -> ChunkPosition:
        """Behind the last frame."""
        return self._position

    def run(self, frames: Iterable[Frame]) -> Generator[Frame, None, None]:
        """The frames with ``shot``, ``chunk`` and ``checkpoint`` as they stay."""
        for frame in frames:
            beyond = -1 if self._stop is None else frame.index - self._stop
            missing = self._first_index - frame.index
            if missing > 0 or beyond >= 0:
                self._checkpoints.pop(frame.index, None)
                frame = replace(frame, checkpoint=False)
            if beyond >= self._ahead:
                return
            if missing > 0:
                if missing <= self._overlap:
                    shot, chunk = self._position.shot, self._position.chunk
                    yield replace(frame, shot=shot, chunk=chunk)
                continue
            before = self._position
            position = self._after(frame)
            kept = frame.checkpoint and (
                position.chunk > before.chunk
                or time.monotonic() - self._last_pause >= self._rule.every
                or self._rule.stop.reason is not None
            )
            if kept:
                self._checkpoints[frame.index].position = before
                self._last_pause = time.monotonic()
            elif frame.checkpoint:
                del self._checkpoints[frame.index]
            self._position = position
            yield replace(frame, shot=position.shot, chunk=position.chunk, checkpoint=kept)

    def _after(self, frame: Frame) -> ChunkPosition:
        cut = not self._first and CUT in frame.layers and float(frame.host(CUT)) >= 0.5
        self._first = False
        chunk, in_chunk = self._position.chunk, self._position.in_chunk
        in_part = 0 if cut else self._position.in_part
        split = in_part == self._part
        if split or in_chunk >= self._most or (cut and in_chunk >= self._least):
            chunk, in_chunk = chunk + 1, 0
        shot = self._position.shot + cut
        return ChunkPosition(shot, chunk, in_chunk + 1, 1 if split else in_part + 1)
