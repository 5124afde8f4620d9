"""One span stage at work: collects its spans, keeps its state, checks what it yields.

Every engine, and the check suite for stage authors, run span stages through this node, so that
they cannot differ.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from vidstyle.core.frame import Frame, LazyLayer
from vidstyle.core.plan import PlannedStage
from vidstyle.core.span import Span, SpanStage, SpanSteps
from vidstyle.core.stage import Layers
from vidstyle.core.state import State
from vidstyle.runner.config.keyframes import Keyed, options_at
from vidstyle.runner.execution.checkpoints import Checkpoints
from vidstyle.runner.execution.node import LayerCheck, home_of
from vidstyle.runner.execution.span_store import SpanStore, StoredFrames, StoredScratch
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.wiring import span_budget
from vidstyle.runner.storage.checkpoint import StageState


class SpanNode:
    """Turns a stream of frames into the stream that leaves the stage, one for one.

    A span ends after ``needs.span`` frames and at the edges of shots and chunks. So only the
    stage's state is held where a chunk begins, and a checkpoint there needs no earlier frames.
    """

    def __init__(
        self,
        planned: PlannedStage,
        stage: SpanStage,
        entry: Keyed,
        *,
        budget: int | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """Take an opened stage; see ``make_node`` for the arguments."""
        if planned.needs.span is None:
            raise ValueError(f"stage {planned.name} declares no span")
        self.planned = planned
        self.guard = Guard(planned.name, stage)
        self._stage, self._entry = stage, entry
        self._checkpoints = checkpoints
        self._check = LayerCheck(planned, self.guard)
        self._longest = planned.needs.span
        writes = set(planned.needs.writes)
        self._passing = tuple(name for name in planned.keeps if name not in writes)
        self._stored = tuple(sorted({*planned.needs.reads, *self._passing}))
        self._budget = (
            span_budget(self._longest, self._stored, planned.clip) if budget is None else budget
        )
        self._collected: list[Frame] = []
        self._store: SpanStore | None = None
        self._shot: int | None = None
        self._state: State = None

    def run(self, frames: Iterable[Frame]) -> Generator[Frame, None, None]:
        """Give the frames of each span when it is whole, or ends before the next frame."""
        for frame in frames:
            if self._collected and _piece(self._collected[-1]) != _piece(frame):
                yield from self._finish()
            if frame.checkpoint and self._checkpoints is not None:
                state = self.state()
                if state is not None:
                    self._checkpoints[frame.index].states[self.planned.name] = state
            self._collect(frame)
            if len(self._collected) == self._longest:
                yield from self._finish()
        yield from self._finish()

    def state(self) -> StageState | None:
        """What the next span depends on besides its frames; None inside of a span."""
        return None if self._collected else StageState(self._state, self._shot, ())

    def restore(self, state: StageState) -> None:
        """Resume where another node of an equal stage stood."""
        self._state, self._shot = state.state, state.shot

    def close(self) -> None:
        """Give memory and disk of an unfinished span back; may be called again."""
        self._collected = []
        if self._store is not None:
            self._store.close()
            self._store = None

    def _finish(self) -> Iterator[Frame]:
        """Give the frames of a span that will not become longer."""
        store = self._store
        if store is None:
            return
        try:
            self._enter_shot(self._collected[0])
            with closing(self._start(store)) as steps:
                yield from self._work(steps, store)
        finally:
            # Not where the last frame was handed on and the next span has begun.
            if self._store is store:
                self.close()

    def _collect(self, frame: Frame) -> None:
        if self._store is None:
            self._store = SpanStore(self._budget)
        for name in self._stored:
            if name in frame.layers:
                self._store.put((len(self._collected), name), frame.lazy_layer(name))
        self._collected.append(frame.restrict(()))

    def _enter_shot(self, first: Frame) -> None:
        new_scope = self._shot != first.shot and self.planned.needs.scope == "shot"
        if self._shot is None or new_scope:
            self._state = self.guard(first.index, self._stage.initial_state)
        self._shot = first.shot

    def _start(self, store: SpanStore) -> SpanSteps:
        first, reads, entry = self._collected[0], tuple(self.planned.needs.reads), self._entry
        home = home_of(self.planned)
        frames = StoredFrames(store, tuple(self._collected), reads, home)
        options = tuple(
            options_at(entry.options, entry.keyframes, frame.time) for frame in self._collected
        )
        span: Span[Any] = Span(frames, options, StoredScratch(store, home))
        steps = self.guard(first.index, self._stage.step_span, span, self._state)
        if not isinstance(steps, Generator):
            raise self.guard.fault(
                first.index,
                "step_span must yield layers and return its state,"
                f" it gave a {type(steps).__name__}",
            )
        return steps

    def _work(self, steps: SpanSteps, store: SpanStore) -> Iterator[Frame]:
        last = len(self._collected) - 1
        for position, frame in enumerate(tuple(self._collected)):
            layers = self.guard(frame.index, _next, steps)
            if isinstance(layers, _Ended):
                reason = f"step_span gave {position} frames for a span of {last + 1}"
                raise self.guard.fault(frame.index, reason)
            self._check(layers, frame.index)
            done = frame.write({**self._passed(position, store), **layers}, self.planned.keeps)
            if position == last:
                self._end(steps, frame.index)
            yield done

    def _end(self, steps: SpanSteps, index: int) -> None:
        """Take the state, and let go of the span before its last frame is handed on."""
        ended = self.guard(index, _next, steps)
        if not isinstance(ended, _Ended):
            reason = f"step_span gave more frames than its span of {len(self._collected)}"
            raise self.guard.fault(index, reason)
        if self.planned.needs.scope == "none" and ended.state is not None:
            raise self.guard.fault(index, "returned a state, but its scope is none")
        self._state = ended.state
        self.close()

    def _passed(self, position: int, store: SpanStore) -> dict[str, LazyLayer]:
        """The frame's layers that pass the stage and are read behind it."""
        keys = [(position, name) for name in self._passing]
        return {key[1]: store.get(key) for key in keys if key in store}


@dataclass(frozen=True, slots=True)
class _Ended:
    """The stage has no more frames."""

    state: State


def _next(steps: SpanSteps) -> Layers | _Ended:
    try:
        return next(steps)
    except StopIteration as end:
        return _Ended(end.value)


def _piece(frame: Frame) -> tuple[int, int]:
    return frame.shot, frame.chunk
