"""A stage that computes several frames at once, which keeps a GPU busy."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, cast

from vidstyle.core.frame import Frame
from vidstyle.core.stage import BatchStage, Layers
from vidstyle.core.window import Window
from vidstyle.runner.execution.node import Node


class BatchNode(Node):
    """As ``Node``, in batches of ``context.batch`` frames.

    They are counted from the start of the frame's chunk within its shot, so that a run that
    resumes at a chunk has the batches of one that was not interrupted.
    """

    def run(self, frames: Iterable[Frame]) -> Generator[Frame, None, None]:
        """Give the frames of each batch when it is whole and its look-ahead is there."""
        for frame in frames:
            if self._waiting and self._waiting[-1].shot != frame.shot:
                yield from self._batches(ended=True)
            self._waiting.append(frame)
            yield from self._batches(ended=False)
        yield from self._batches(ended=True)

    def _batches(self, *, ended: bool) -> Iterator[Frame]:
        """All batches that can be computed; ``ended``: the shot has no more frames."""
        batch = self.planned.context.batch
        while self._waiting:
            count = self._of_one_chunk(batch)
            behind_it = len(self._waiting) - count
            may_grow = count < batch and behind_it == 0
            if not ended and (may_grow or behind_it < self._ahead):
                return
            yield from self._advance_many(count)

    def _of_one_chunk(self, most: int) -> int:
        """How many of the waiting frames make the next batch."""
        chunk = self._waiting[0].chunk
        count = 0
        for frame in self._waiting:
            if count == most or frame.chunk != chunk:
                break
            count += 1
        return count

    def _advance_many(self, count: int) -> Iterator[Frame]:
        frames, windows = [], []
        for _ in range(count):
            now = self._waiting.popleft()
            frames.append(now)
            windows.append(self._begin(now))
        layers = self._step_many(windows) if self._recall is None else self._recalled_many(windows)
        for now, written in zip(frames, layers, strict=True):
            yield now.write(written, self.planned.keeps)

    def _recalled_many(self, windows: Sequence[Window[Any]]) -> Sequence[Layers]:
        """The layers of equal steps of an earlier run; the rest is computed, and kept."""
        assert self._recall is not None
        keys = [self._recall.key(window) for window in windows]
        known = [self._recall.get(key) for key in keys]
        for window, layers in zip(windows, known, strict=True):
            if layers is not None:
                self._check(layers, window.now.index)
        missing = [position for position, layers in enumerate(known) if layers is None]
        if missing:
            computed = self._step_many([windows[position] for position in missing])
            for position, layers in zip(missing, computed, strict=True):
                self._recall.put(keys[position], layers)
                known[position] = layers
        return cast("Sequence[Layers]", known)

    def _step_many(self, windows: Sequence[Window[Any]]) -> Sequence[Layers]:
        first = windows[0].now.index
        stage = cast("BatchStage", self._stage)
        written = self.guard(first, _list, stage.step_many, windows)
        if len(written) != len(windows):
            raise self.guard.fault(
                first,
                f"step_many gave {len(written)} frames' layers for {len(windows)} frames",
            )
        for layers, window in zip(written, windows, strict=True):
            self._check(layers, window.now.index)
        return written


def _list(step_many: Any, windows: Sequence[Window[Any]]) -> list[Layers]:
    """All layers, while the stage is guarded: it may be a generator."""
    return list(step_many(windows))
