"""One span stage at work: collects its spans, keeps its state, checks what it yields.

Serial and threaded execution, and the check suite for stage authors, all run span stages
through this node, so that they cannot differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from vidstyle.core.errors import StageError
from vidstyle.core.options import StageOptions
from vidstyle.core.plan import PlannedStage
from vidstyle.core.span import Span, SpanStage, SpanSteps
from vidstyle.core.stage import Layers
from vidstyle.core.state import State
from vidstyle.runner.execution.edge import Held
from vidstyle.runner.execution.faults import check_layers
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.parcel import Parcel
from vidstyle.runner.execution.span_store import SpanStore
from vidstyle.runner.execution.span_view import StoredFrames, StoredScratch
from vidstyle.runner.plan.wiring import span_budget


class SpanNode:
    """Turns a stream of parcels into the stream that leaves the stage, one for one.

    A span ends after ``needs.span`` frames and at the edges of shots and chunks. So nothing but
    state is held where a chunk begins, and a checkpoint there needs none of the frames before.
    """

    def __init__(
        self,
        planned: PlannedStage,
        stage: SpanStage,
        options_at: Callable[[Fraction], StageOptions],
        *,
        budget: int | None = None,
    ) -> None:
        """``budget`` is the memory for a span in bytes; None leaves it to the plan's rule."""
        if planned.needs.span is None:
            raise ValueError(f"stage {planned.name} declares no span")
        self.planned = planned
        self.seconds = 0.0
        """Time spent inside the stage."""
        self._stage = stage
        self._options_at = options_at
        self._longest = planned.needs.span
        writes = set(planned.needs.writes)
        self._passing = tuple(name for name in planned.keeps if name not in writes)
        self._stored = tuple(sorted({*planned.needs.reads, *self._passing}))
        self._budget = (
            span_budget(self._longest, self._stored, planned.clip) if budget is None else budget
        )
        self._collected: list[Parcel] = []
        self._store: SpanStore | None = None
        self._shot: int | None = None
        self._state: State = None

    def push(self, parcel: Parcel) -> Iterator[Parcel]:
        """Take the next frame; give those of the span that it completes, or that ends before it."""
        if self._collected and _piece(self._collected[-1]) != _piece(parcel):
            yield from self.finish()
        held = self.held()
        if parcel.edge is not None and held is not None:
            parcel.edge.held[self.planned.name] = held
        self._collect(parcel)
        if len(self._collected) == self._longest:
            yield from self.finish()

    def finish(self) -> Iterator[Parcel]:
        """Give the frames of a span that will not become longer."""
        store = self._store
        if store is None:
            return
        try:
            self._enter_shot(self._collected[0])
            with closing(self._started(store)) as steps:
                yield from self._worked(steps, store)
        finally:
            # Not where the last frame was handed on and the next span has begun.
            if self._store is store:
                self.close()

    def held(self) -> Held | None:
        """What the next span depends on besides its frames; None inside of a span."""
        return None if self._collected else Held(self._state, self._shot, ())

    def restore(self, held: Held) -> None:
        """Go on from what another node of an equal stage held."""
        self._state, self._shot = held.state, held.shot

    def close(self) -> None:
        """Give memory and disk of an unfinished span back; may be called again."""
        self._collected = []
        if self._store is not None:
            self._store.close()
            self._store = None

    def _collect(self, parcel: Parcel) -> None:
        if self._store is None:
            self._store = SpanStore(self._budget)
        for name in self._stored:
            if name in parcel.cells:
                self._store.put((len(self._collected), name), parcel.cells[name])
        self._collected.append(parcel.only(()))

    def _enter_shot(self, first: Parcel) -> None:
        new_scope = self._shot != first.shot and self.planned.needs.scope == "shot"
        if self._shot is None or new_scope:
            self._state = guarded(self.planned.name, first.index, self._stage.initial_state)
        self._shot = first.shot

    def _started(self, store: SpanStore) -> SpanSteps:
        first, needs = self._collected[0], self.planned.needs
        home, device = needs.home, self.planned.context.device
        frames = StoredFrames(store, tuple(self._collected), tuple(needs.reads), home, device)
        options = tuple(self._options_at(parcel.time) for parcel in self._collected)
        span: Span[Any] = Span(frames, options, StoredScratch(store, home, device))
        steps = guarded(
            self.planned.name, first.index, lambda: self._stage.step_span(span, self._state)
        )
        if not isinstance(steps, Generator):
            raise StageError(
                self.planned.name,
                first.index,
                "step_span must yield layers and return its state,"
                f" it gave a {type(steps).__name__}",
            )
        return steps

    def _worked(self, steps: SpanSteps, store: SpanStore) -> Iterator[Parcel]:
        last = len(self._collected) - 1
        for position, parcel in enumerate(tuple(self._collected)):
            layers = self._next(steps, parcel.index)
            if isinstance(layers, _Ended):
                raise StageError(
                    self.planned.name,
                    parcel.index,
                    f"step_span gave {position} frames for a span of {last + 1}",
                )
            check_layers(layers, self.planned, parcel.index)
            done = self._filled(parcel, position, store).written(layers, self.planned.keeps)
            if position == last:
                self._end(steps, parcel.index)
            yield done

    def _end(self, steps: SpanSteps, index: int) -> None:
        """Take the state, and let go of the span before its last frame is handed on."""
        ended = self._next(steps, index)
        if not isinstance(ended, _Ended):
            count = len(self._collected)
            raise StageError(
                self.planned.name, index, f"step_span gave more frames than its span of {count}"
            )
        if self.planned.needs.scope == "none" and ended.state is not None:
            raise StageError(self.planned.name, index, "returned a state, but its scope is none")
        self._state = ended.state
        self.close()

    def _next(self, steps: SpanSteps, index: int) -> Layers | _Ended:
        def advance() -> Layers | _Ended:
            try:
                return next(steps)
            except StopIteration as end:
                return _Ended(end.value)

        started = time.perf_counter()
        try:
            return guarded(self.planned.name, index, advance)
        finally:
            self.seconds += time.perf_counter() - started

    def _filled(self, parcel: Parcel, position: int, store: SpanStore) -> Parcel:
        """The parcel with the layers that somebody behind the stage reads."""
        cells = {
            name: store.get((position, name)) for name in self._passing if (position, name) in store
        }
        return replace(parcel, cells=cells)


@dataclass(frozen=True, slots=True)
class _Ended:
    """The stage has no more frames."""

    state: State


def _piece(parcel: Parcel) -> tuple[int, int]:
    return parcel.shot, parcel.chunk
