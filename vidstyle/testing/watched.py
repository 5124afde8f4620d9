"""A stage with a witness: notes where a step changes what it was given, or what it gave."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from vidstyle.core import Clip, Layers, Needs, Place, Stage, StageOptions, State, Window


class Watched:
    """Behaves as the stage does."""

    Options: ClassVar[type[Any]] = StageOptions

    def __init__(self, stage: Stage) -> None:
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

    def settle(self, clip: Clip) -> StageOptions:
        return self._stage.settle(clip)

    def open(self, clip: Clip, place: Place) -> None:
        self._stage.open(clip, place)

    def fresh(self) -> State:
        return self._stage.fresh()

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        before = {what: _copy(value) for what, value in _arguments(window, state).items()}
        layers, following = self._stage.step(window, state)
        after = _arguments(window, state)
        place = f"at frame {window.now.index}"
        self.mutated += [
            f"{what} {place}"
            for what in {**before, **after}
            if what not in before or what not in after or not _same(after[what], before[what])
        ]
        for what, value in {**_named("layer", layers), **_named("state", following)}.items():
            self._given_away.append((f"{what} {place}", value, _copy(value)))
        return layers, following

    def close(self) -> None:
        self._stage.close()


def as_array(value: Any) -> npt.NDArray[Any]:
    """A layer or a state's array or number as numpy sees it, wherever it lies."""
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _arguments(window: Window[Any], state: State) -> dict[str, Any]:
    """Everything that a step may not write to, by a name for messages."""
    given = _named("state", state)
    for frame in (window.now, *window.behind, *window.ahead):
        given |= _named(f"frame {frame.index}'s layer", frame.layers)
    return given


def _named(what: str, values: Any) -> dict[str, Any]:
    return {f"{what} {name}": value for name, value in dict(values or {}).items()}


def _copy(value: Any) -> npt.NDArray[Any]:
    return as_array(value).copy()


def _same(value: Any, copy: npt.NDArray[Any]) -> bool:
    now = as_array(value)
    return now.shape == copy.shape and now.tobytes() == copy.tobytes()
