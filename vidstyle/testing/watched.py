"""A stage with a witness: notes where a step changes what it was given, or what it gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from vidstyle.core import (
    AnyStage,
    Clip,
    ExecutionContext,
    Frame,
    Layers,
    Needs,
    Span,
    SpanStage,
    SpanSteps,
    Stage,
    StageOptions,
    State,
    Window,
)


class Watched:
    """Behaves as the stage does.

    Args:
        stage: Whose steps are watched.
    """

    Options: ClassVar[type[Any]] = StageOptions

    def __init__(self, stage: AnyStage) -> None:
        self.mutated: list[str] = []
        """What steps changed of their arguments, in words."""
        self._stage = stage
        self._given_away: list[tuple[str, Any, npt.NDArray[Any]]] = []

    def overwritten(self) -> list[str]:
        """Layers and state that steps returned and that later steps wrote to, in words."""
        return [what for what, now, then in self._given_away if not _same(now, then)]

    @property
    def needs(self) -> Needs:
        return self._stage.needs

    def describe(self, clip: Clip) -> Clip:
        return self._stage.describe(clip)

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        return self._stage.resolve(clip, context)

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return self._stage.memory(clip, context)

    def files(self) -> Sequence[Path]:
        return self._stage.files()

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._stage.open(clip, context)

    def initial_state(self) -> State:
        return self._stage.initial_state()

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        frames = (window.now, *window.behind, *window.ahead)
        before = _copies(_arguments(frames, state))
        layers, following = cast("Stage", self._stage).step(window, state)
        context = f"at frame {window.now.index}"
        self._compare(before, _arguments(frames, state), context)
        self._note("layer", layers, context)
        self._note("state", following, context)
        return layers, following

    def step_span(self, span: Span[Any], state: State) -> SpanSteps:
        before = _copies(_arguments(span, state))
        steps = cast("SpanStage", self._stage).step_span(span, state)
        for frame in span:
            try:
                layers = next(steps)
            except StopIteration as end:
                return cast("State", end.value)
            self._note("layer", layers, f"at frame {frame.index}")
            yield layers
        following = yield from steps
        context = f"in the span from frame {span[0].index}"
        self._compare(before, _arguments(span, state), context)
        self._note("state", following, context)
        return following

    def close(self) -> None:
        self._stage.close()

    def _compare(
        self, before: dict[str, npt.NDArray[Any]], after: dict[str, Any], context: str
    ) -> None:
        self.mutated += [
            f"{what} {context}"
            for what in {**before, **after}
            if what not in before or what not in after or not _same(after[what], before[what])
        ]

    def _note(self, kind: str, values: Any, context: str) -> None:
        for what, value in _named(kind, values).items():
            self._given_away.append((f"{what} {context}", value, _copy(value)))


def as_array(value: Any) -> npt.NDArray[Any]:
    """Give a value as numpy sees it, wherever it lies.

    Args:
        value: A layer, or a state's array or number.

    Returns:
        The array.
    """
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _arguments(frames: Iterable[Frame], state: State) -> dict[str, Any]:
    """Everything that a step may not write to, by a name for messages."""
    given = _named("state", state)
    for frame in frames:
        given |= _named(f"frame {frame.index}'s layer", frame.layers)
    return given


def _copies(values: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    return {what: _copy(value) for what, value in values.items()}


def _named(what: str, values: Any) -> dict[str, Any]:
    return {f"{what} {name}": value for name, value in dict(values or {}).items()}


def _copy(value: Any) -> npt.NDArray[Any]:
    return as_array(value).copy()


def _same(value: Any, copy: npt.NDArray[Any]) -> bool:
    now = as_array(value)
    return now.shape == copy.shape and now.tobytes() == copy.tobytes()
