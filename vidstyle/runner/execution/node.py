"""One stage at work: its windows, its state, and the checks on what it returns.

Serial and threaded execution, and the check suite for stage authors, all step stages
through a node, so that they cannot differ.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from vidstyle.core.errors import StageError
from vidstyle.core.options import StageOptions
from vidstyle.core.plan import PlannedStage
from vidstyle.core.stage import Layers, Stage
from vidstyle.core.state import State
from vidstyle.core.window import Window
from vidstyle.runner.execution.edge import Held
from vidstyle.runner.execution.faults import check_layers
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.parcel import Parcel
from vidstyle.runner.execution.recall import Recall


class Node:
    """Turns a stream of parcels into the stream that leaves the stage, one for one."""

    def __init__(
        self,
        planned: PlannedStage,
        stage: Stage,
        options_at: Callable[[Fraction], StageOptions],
        recall: Recall | None = None,
    ) -> None:
        """``recall`` knows steps that were computed before; for a stage without a state."""
        self.planned = planned
        self.seconds = 0.0
        """Time spent inside the stage's steps."""
        self._stage = stage
        self._options_at = options_at
        self._recall = recall
        needs = planned.needs
        self._waiting: deque[Parcel] = deque()
        self._behind: deque[Parcel] = deque(maxlen=needs.behind)
        self._kept_behind = tuple(name for name, reach in needs.reads.items() if reach.behind)
        self._shot: int | None = None
        self._state: State = None

    def push(self, parcel: Parcel) -> Iterator[Parcel]:
        """Take the next frame; give those whose look-ahead is now complete."""
        if self._waiting and self._waiting[-1].shot != parcel.shot:
            yield from self.finish()
        self._waiting.append(parcel)
        while len(self._waiting) > self.planned.needs.ahead:
            yield self._advance()

    def finish(self) -> Iterator[Parcel]:
        """Give the frames that were waiting for a look-ahead that will not come."""
        while self._waiting:
            yield self._advance()

    def held(self) -> Held:
        """What the next step depends on besides the frames from it onward."""
        return Held(self._state, self._shot, tuple(self._behind))

    def restore(self, held: Held) -> None:
        """Go on from what another node of an equal stage held."""
        self._state, self._shot = held.state, held.shot
        self._behind = deque(held.behind, maxlen=self.planned.needs.behind)

    def close(self) -> None:
        """Nothing to give back: the frames that are held are memory alone."""

    def _advance(self) -> Parcel:
        now = self._next()
        written = self._layers(now)
        self._leave_behind(now)
        return now.written(written, self.planned.keeps)

    def _next(self) -> Parcel:
        """The frame whose turn it is; what is held before it goes to a checkpoint there."""
        now = self._waiting.popleft()
        if now.edge is not None:
            now.edge.held[self.planned.name] = self.held()
        self._enter_shot(now)
        return now

    def _leave_behind(self, now: Parcel) -> None:
        if self._behind.maxlen:
            self._behind.appendleft(now.remembered(self._kept_behind))

    def _enter_shot(self, now: Parcel) -> None:
        if self._shot == now.shot:
            return
        self._behind.clear()
        if self._shot is None or self.planned.needs.scope == "shot":
            self._state = guarded(self.planned.name, now.index, self._stage.initial_state)
        self._shot = now.shot

    def _layers(self, now: Parcel) -> Layers:
        started = time.perf_counter()
        key = self._key(now)
        layers = None if key is None else self._known(key, now)
        if layers is None:
            layers, self._state = self._step(now)
            self._keep(key, layers)
        self.seconds += time.perf_counter() - started
        return layers

    def _key(self, now: Parcel) -> str | None:
        """What the frame's layers are looked up by; None where they are not."""
        if self._recall is None:
            return None
        options, reads = self._options_at(now.time), self.planned.needs.reads
        return self._recall.key(now, self._behind, tuple(self._waiting), reads, options)

    def _known(self, key: str, now: Parcel) -> Layers | None:
        assert self._recall is not None
        layers = self._recall.get(key)
        if layers is not None:
            check_layers(layers, self.planned, now.index)
        return layers

    def _keep(self, key: str | None, layers: Layers) -> None:
        if key is not None and self._recall is not None:
            self._recall.put(key, layers)

    def _step(self, now: Parcel) -> tuple[Layers, State]:
        window = self._window(now)
        result = guarded(
            self.planned.name, now.index, lambda: self._stage.step(window, self._state)
        )
        try:
            layers, state = result
        except (TypeError, ValueError):
            raise StageError(
                self.planned.name, now.index, "step must return (layers, state)"
            ) from None
        check_layers(layers, self.planned, now.index)
        if self.planned.needs.scope == "none" and state is not None:
            raise StageError(
                self.planned.name, now.index, "returned a state, but its scope is none"
            )
        return layers, state

    def _window(self, now: Parcel) -> Window[Any]:
        reads, context = self.planned.needs.reads, self.planned.context
        home = self.planned.needs.home

        def show(parcel: Parcel, distance: int, side: str) -> Any:
            names = [
                name
                for name, reach in reads.items()
                if name in parcel.cells and (not side or getattr(reach, side) >= distance)
            ]
            return parcel.show(names, home, context.device)

        return Window(
            now=show(now, 0, ""),
            options=self._options_at(now.time),
            behind=tuple(show(p, i, "behind") for i, p in enumerate(self._behind, 1)),
            ahead=tuple(
                show(p, i, "ahead")
                for i, p in enumerate(self._waiting, 1)
                if i <= self.planned.needs.ahead
            ),
        )
