"""One stage at work: its windows, its state, and the checks on what it returns.

Serial and threaded execution, and the check suite for stage authors, all step stages
through a node, so that they cannot differ.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from vidstyle.core.errors import StageError
from vidstyle.core.layers import Layer, host_shape
from vidstyle.core.options import StageOptions
from vidstyle.core.plan import PlannedStage
from vidstyle.core.stage import Layers, Stage
from vidstyle.core.state import State
from vidstyle.core.window import Window
from vidstyle.runner.guard import guarded
from vidstyle.runner.parcel import Parcel


@dataclass(frozen=True, slots=True)
class Held:
    """What a stage must be given back to go on: its state and the inputs behind it."""

    state: State
    shot: int | None
    behind: tuple[Parcel, ...]
    """Nearest first."""


class Node:
    """Turns a stream of parcels into the stream that leaves the stage, one for one."""

    def __init__(
        self,
        planned: PlannedStage,
        stage: Stage,
        options_at: Callable[[Fraction], StageOptions],
    ) -> None:
        self.planned = planned
        self.seconds = 0.0
        """Time spent inside the stage's steps."""
        self._stage = stage
        self._options_at = options_at
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

    def _advance(self) -> Parcel:
        now = self._waiting.popleft()
        self._enter_shot(now)
        written, self._state = self._step(now)
        if self._behind.maxlen:
            self._behind.appendleft(now.only(self._kept_behind))
        return now.written(written, self.planned.keeps)

    def _enter_shot(self, now: Parcel) -> None:
        if self._shot == now.shot:
            return
        self._behind.clear()
        if self._shot is None or self.planned.needs.scope == "shot":
            self._state = guarded(self.planned.name, now.index, self._stage.fresh)
        self._shot = now.shot

    def _step(self, now: Parcel) -> tuple[Layers, State]:
        window = self._window(now)
        started = time.perf_counter()
        result = guarded(
            self.planned.name, now.index, lambda: self._stage.step(window, self._state)
        )
        self.seconds += time.perf_counter() - started
        try:
            layers, state = result
        except (TypeError, ValueError):
            raise StageError(
                self.planned.name, now.index, "step must return (layers, state)"
            ) from None
        self._check(layers, now.index)
        if self.planned.needs.scope == "none" and state is not None:
            raise StageError(
                self.planned.name, now.index, "returned a state, but its scope is none"
            )
        return layers, state

    def _window(self, now: Parcel) -> Window[Any]:
        reads, place = self.planned.needs.reads, self.planned.place
        home = self.planned.needs.home

        def show(parcel: Parcel, distance: int, side: str) -> Any:
            names = [
                name
                for name, reach in reads.items()
                if name in parcel.cells and (not side or getattr(reach, side) >= distance)
            ]
            return parcel.show(names, home, place.device)

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

    def _check(self, layers: Mapping[str, Layer], index: int) -> None:
        fault = _fault(layers, self.planned)
        if fault:
            raise StageError(self.planned.name, index, fault)


def _fault(layers: Mapping[str, Layer], planned: PlannedStage) -> str | None:
    """What is wrong with the layers that a step returned, or None."""
    if not isinstance(layers, Mapping):
        return f"layers must be a mapping of names to arrays, got {type(layers).__name__}"
    if set(layers) != set(planned.needs.writes):
        declared, wrote = sorted(planned.needs.writes), sorted(layers)
        return f"declared that it writes {declared}, but wrote {wrote}"
    for name, layer in layers.items():
        fault = _layer_fault(name, layer, planned)
        if fault:
            return fault
    return None


def _layer_fault(name: str, layer: Layer, planned: PlannedStage) -> str | None:
    on_host = isinstance(layer, np.ndarray)
    if not on_host and planned.needs.home == "host":
        return f"layer {name} must be a numpy array, got {type(layer).__name__}"
    if str(layer.dtype).removeprefix("torch.") != "float32":
        return f"layer {name} must be float32, got {layer.dtype}"
    wanted = host_shape(name, planned.clip.height, planned.clip.width)
    if wanted is not None and not on_host and wanted:
        wanted = (wanted[2] if len(wanted) == 3 else 1, *wanted[:2])
    if wanted is not None and tuple(layer.shape) != wanted:
        return f"layer {name} must have shape {wanted}, got {tuple(layer.shape)}"
    # A sum is finite only if all of its terms are, and costs a fraction of isfinite().all().
    if not np.isfinite(float(layer.sum())):
        return f"layer {name} holds NaN or infinite values"
    return None
