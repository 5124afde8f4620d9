"""One stage at work: its windows, its state, and the checks on what it returns.

Every engine, and the check suite for stage authors, step stages through a node, so that they
cannot differ.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from itertools import repeat
from math import isfinite
from typing import Any

import numpy as np

from vidstyle.core.frame import HOST, Frame
from vidstyle.core.layers import host_shape
from vidstyle.core.plan import PlannedStage
from vidstyle.core.planes import Planes
from vidstyle.core.stage import Layers, Stage
from vidstyle.core.state import State
from vidstyle.core.window import Window
from vidstyle.kernels.finite import all_finite
from vidstyle.runner.config.keyframes import Keyed, options_at
from vidstyle.runner.execution.checkpoints import Checkpoints
from vidstyle.runner.execution.recall import Recall
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.storage.checkpoint import StageState


class Node:
    """Turns a stream of frames into the stream that leaves the stage, one for one."""

    def __init__(
        self,
        planned: PlannedStage,
        stage: Stage,
        entry: Keyed,
        *,
        checkpoints: Checkpoints | None = None,
        recall: Recall | None = None,
    ) -> None:
        """Take an opened stage.

        Args:
            planned: Its part of the plan.
            stage: The stage itself.
            entry: Its options over time.
            checkpoints: Gathers the state before frames at which a run may resume.
            recall: Knows steps that were computed before; for a stage without a state.
        """
        self.planned = planned
        self.guard = Guard(planned.name, stage)
        self._stage, self._entry = stage, entry
        self._checkpoints, self._recall = checkpoints, recall
        self._check = LayerCheck(planned, self.guard)
        reads = planned.needs.reads
        self._home = home_of(planned)
        self._ahead = planned.needs.ahead
        self._names_now = tuple(reads)
        self._names_behind, self._names_ahead = (
            tuple(
                tuple(name for name, reach in reads.items() if getattr(reach, side) >= distance)
                for distance in range(1, getattr(planned.needs, side) + 1)
            )
            for side in ("behind", "ahead")
        )
        # A frame behind is kept with what the nearest distance shows; others may show less.
        self._behind_alike = len(set(self._names_behind)) <= 1
        self._waiting: deque[Frame] = deque()
        self._behind: deque[Frame] = deque(maxlen=planned.needs.behind)
        self._shot: int | None = None
        self._state: State = None

    def run(self, frames: Iterable[Frame]) -> Generator[Frame, None, None]:
        """Give each frame when its look-ahead is there, or its shot has ended."""
        waiting = self._waiting
        for frame in frames:
            while waiting and waiting[-1].shot != frame.shot:
                yield self._advance()
            waiting.append(frame)
            if len(waiting) > self._ahead:
                yield self._advance()
        while waiting:
            yield self._advance()

    def state(self) -> StageState:
        """What the next step depends on besides the frames from it onward."""
        return StageState(self._state, self._shot, tuple(self._behind))

    def restore(self, state: StageState) -> None:
        """Resume where another node of an equal stage stood."""
        self._state, self._shot = state.state, state.shot
        self._behind.clear()
        for frame in state.behind:
            self._behind.append(frame.restrict(self._names_behind[0], self._home))

    def close(self) -> None:
        """Give back nothing: the frames that it holds are memory alone."""

    def _advance(self) -> Frame:
        now = self._waiting.popleft()
        window = self._begin(now)
        layers = self._step(window) if self._recall is None else self._recalled(window)
        return now.write(layers, self.planned.keeps)

    def _begin(self, now: Frame) -> Window[Any]:
        """Return what the stage sees of a frame, and keep what later windows show of it.

        Its checkpoint gets the state before it.
        """
        if now.checkpoint and self._checkpoints is not None:
            self._checkpoints[now.index].states[self.planned.name] = self.state()
        if now.shot != self._shot:
            self._enter_shot(now)
        entry, home = self._entry, self._home
        behind = tuple(self._behind)
        ahead: tuple[Frame, ...] = ()
        if not self._behind_alike:
            behind = tuple(map(Frame.restrict, behind, self._names_behind, repeat(home)))
        if self._names_behind:
            self._behind.appendleft(now.restrict(self._names_behind[0], home))
        if self._names_ahead:
            ahead = tuple(map(Frame.restrict, self._waiting, self._names_ahead, repeat(home)))
        options = entry.options
        if entry.keyframes:
            options = options_at(options, entry.keyframes, now.time)
        return Window(now.restrict(self._names_now, home), options, behind, ahead)

    def _enter_shot(self, first: Frame) -> None:
        self._behind.clear()
        if self._shot is None or self.planned.needs.scope == "shot":
            self._state = self.guard(first.index, self._stage.initial_state)
        self._shot = first.shot

    def _step(self, window: Window[Any]) -> Layers:
        index = window.now.index
        result = self.guard(index, self._stage.step, window, self._state)
        try:
            layers, state = result
        except (TypeError, ValueError):
            raise self.guard.fault(index, "step must return (layers, state)") from None
        self._check(layers, index)
        if self.planned.needs.scope == "none" and state is not None:
            raise self.guard.fault(index, "returned a state, but its scope is none")
        self._state = state
        return layers

    def _recalled(self, window: Window[Any]) -> Layers:
        """The layers of an equal step of an earlier run; else those of this one, for a later."""
        assert self._recall is not None
        key = self._recall.key(window)
        layers = self._recall.get(key)
        if layers is None:
            layers = self._step(window)
            self._recall.put(key, layers)
        else:
            self._check(layers, window.now.index)
        return layers


def home_of(planned: PlannedStage) -> str:
    """Where a stage reads its layers: ``host``, or the name of its device."""
    return HOST if planned.needs.home == "host" else planned.context.device


class LayerCheck:
    """Checks the layers that a stage writes for a frame against what it declares."""

    def __init__(self, planned: PlannedStage, guard: Guard) -> None:
        self._guard, self._home = guard, planned.needs.home
        self._writes = frozenset(planned.needs.writes)
        size = planned.clip.height, planned.clip.width
        self._shapes = {name: host_shape(name, *size) for name in self._writes}
        self._device_shapes = {name: _device_shape(s) for name, s in self._shapes.items()}
        self._finite: dict[str, weakref.ref[Any]] = {}

    def __call__(self, layers: Layers, index: int) -> None:
        """Raise StageError for other names, types or shapes, and for values that are not finite."""
        fault = None
        if not isinstance(layers, Mapping):
            fault = f"layers must be a mapping of names to arrays, got {type(layers).__name__}"
        elif layers.keys() != self._writes:
            declared, wrote = sorted(self._writes), sorted(layers)
            fault = f"declared that it writes {declared}, but wrote {wrote}"
        else:
            summed: set[int] = set()
            for name, layer in layers.items():
                if isinstance(layer, Planes):
                    wanted = self._shapes[name]
                    if wanted != layer.shape:
                        fault = f"layer {name} must have shape {wanted}, got {layer.shape}"
                    continue
                on_host = isinstance(layer, np.ndarray)
                # One array may be several layers, and a constant one that of each frame.
                before = self._finite.get(name)
                constant = isinstance(layer, np.ndarray) and not layer.flags.writeable
                known = id(layer) in summed or (constant and before and before() is layer)
                wanted = (self._shapes if on_host else self._device_shapes)[name]
                if not on_host and self._home == "host":
                    fault = f"layer {name} must be a numpy array, got {type(layer).__name__}"
                # numpy takes its time to write the name of a type.
                elif not (
                    layer.dtype == np.float32 if on_host else str(layer.dtype) == "torch.float32"
                ):
                    fault = f"layer {name} must be float32, got {layer.dtype}"
                elif wanted is not None and tuple(layer.shape) != wanted:
                    fault = f"layer {name} must have shape {wanted}, got {tuple(layer.shape)}"
                # A sum is finite only if all terms are.
                elif not known and not (
                    all_finite(layer) if isinstance(layer, np.ndarray) else isfinite(layer.sum())
                ):
                    fault = f"layer {name} holds NaN or infinite values"
                summed.add(id(layer))
                if on_host:
                    self._finite[name] = weakref.ref(layer)
        if fault is not None:
            raise self._guard.fault(index, fault)


def _device_shape(shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """(H, W, C) as (C, H, W), and (H, W) as (1, H, W)."""
    return (shape[2] if len(shape) == 3 else 1, *shape[:2]) if shape else shape
