"""A stage that computes several frames at once, as a GPU likes it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

from vidstyle.core.errors import StageError
from vidstyle.core.stage import BatchStage, Layers
from vidstyle.core.window import Window
from vidstyle.runner.execution.faults import check_layers
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.node import Node
from vidstyle.runner.execution.parcel import Parcel


class BatchNode(Node):
    """As ``Node``, in batches of ``place.batch`` frames.

    They are counted from the start of the frame's chunk within its shot, so that a run that goes
    on with a chunk has the batches of one that was not stopped.
    """

    def push(self, parcel: Parcel) -> Iterator[Parcel]:
        if self._waiting and self._waiting[-1].shot != parcel.shot:
            yield from self.finish()
        self._waiting.append(parcel)
        yield from self._whole_batches(ended=False)

    def finish(self) -> Iterator[Parcel]:
        yield from self._whole_batches(ended=True)

    def _whole_batches(self, *, ended: bool) -> Iterator[Parcel]:
        batch, ahead = self.planned.context.batch, self.planned.needs.ahead
        while self._waiting:
            count = self._of_one_chunk(batch)
            behind_it = len(self._waiting) - count
            may_grow = count < batch and behind_it == 0
            if not ended and (may_grow or behind_it < ahead):
                return
            yield from self._advance_many(count)

    def _of_one_chunk(self, most: int) -> int:
        """How many of the waiting frames make the next batch."""
        chunk = self._waiting[0].chunk
        count = 0
        for parcel in self._waiting:
            if count == most or parcel.chunk != chunk:
                break
            count += 1
        return count

    def _advance_many(self, count: int) -> Iterator[Parcel]:
        nows, windows, keys = [], [], []
        for _ in range(count):
            now = self._next()
            nows.append(now)
            keys.append(self._key(now))
            windows.append(self._window(now))
            self._leave_behind(now)
        started = time.perf_counter()
        known = [
            None if key is None else self._known(key, now)
            for key, now in zip(keys, nows, strict=True)
        ]
        missing = [position for position, layers in enumerate(known) if layers is None]
        if missing:
            made = self._step_many([windows[p] for p in missing], [nows[p] for p in missing])
            for position, layers in zip(missing, made, strict=True):
                self._keep(keys[position], layers)
                known[position] = layers
        self.seconds += time.perf_counter() - started
        for now, written in zip(nows, known, strict=True):
            assert written is not None
            yield now.written(written, self.planned.keeps)

    def _step_many(
        self, windows: Sequence[Window[Any]], nows: Sequence[Parcel]
    ) -> Sequence[Layers]:
        name, first = self.planned.name, nows[0].index
        stage = cast("BatchStage", self._stage)
        made = guarded(name, first, lambda: list(stage.step_many(windows)))
        if len(made) != len(windows):
            raise StageError(
                name, first, f"step_many gave {len(made)} frames' layers for {len(windows)} frames"
            )
        for layers, now in zip(made, nows, strict=True):
            check_layers(layers, self.planned, now.index)
        return made
