"""Options that change over time: ``strength: {at: {0s: 0, 2s: 1}}``.

Between two keyframes the value changes linearly; before the first and after the last it is
constant. Times count from the first frame of the run. A mix, such as
``style: {at: {0s: a, 4s: {a: 1, b: 1}}}``, changes linearly in each of its weights.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol, TypeAlias, TypeVar

from vidstyle.core.options import StageOptions, may_be_keyframed

AT = "at"

Value: TypeAlias = float | Mapping[str, float]
"""A number, or the weights of a mix by name."""
OptionsT = TypeVar("OptionsT", bound=StageOptions)


@dataclass(frozen=True, slots=True)
class Keyframes:
    """The values of one option over time."""

    points: tuple[tuple[Fraction, Value], ...]
    """Seconds and the value there, in order of time, no time twice, at least one.

    All are numbers, or all are align_mixes of the same names.
    """

    def __post_init__(self) -> None:
        times = [time for time, _ in self.points]
        if not times or any(b <= a for a, b in pairwise(times)):
            raise ValueError(f"keyframes are at least one, in order of time, got {times}")

    def value_at(self, seconds: Fraction) -> Value:
        """The value at a time. The arithmetic is exact, so it stays between its neighbors."""
        after = bisect_right(self.points, seconds, key=lambda point: point[0])
        if after in (0, len(self.points)):
            return self.points[min(after, len(self.points) - 1)][1]
        (start, low), (end, high) = self.points[after - 1], self.points[after]
        return _between(low, high, (seconds - start) / (end - start))


def _between(low: Value, high: Value, fraction: Fraction) -> Value:
    if isinstance(low, Mapping) and isinstance(high, Mapping):
        return {name: _number_between(low[name], high[name], fraction) for name in low}
    assert not isinstance(low, Mapping)
    assert not isinstance(high, Mapping)
    return _number_between(low, high, fraction)


def _number_between(low: float, high: float, fraction: Fraction) -> float:
    return float(Fraction(low) + fraction * (Fraction(high) - Fraction(low)))


def align_mixes(
    points: Sequence[tuple[Fraction, str | Mapping[str, float]]],
) -> tuple[tuple[Fraction, Mapping[str, float]], ...]:
    """Mixes at times, each with the names of all of them. A single name has weight 1."""
    weights = [{mix: 1.0} if isinstance(mix, str) else mix for _, mix in points]
    names = dict.fromkeys(name for mix in weights for name in mix)
    return tuple(
        (time, {name: mix.get(name, 0.0) for name in names})
        for (time, _), mix in zip(points, weights, strict=True)
    )


def options_at(
    options: OptionsT, keyframes: Mapping[str, Keyframes], seconds: Fraction
) -> OptionsT:
    """The options at a time; the same object where none changes."""
    if not keyframes:
        return options
    return options.model_copy(
        update={name: keys.value_at(seconds) for name, keys in keyframes.items()}
    )


class Keyed(Protocol):
    """What has options of which some are keyframed: a stage of a pipeline."""

    @property
    def options(self) -> StageOptions: ...
    @property
    def keyframes(self) -> Mapping[str, Keyframes]: ...


@dataclass(frozen=True, slots=True)
class TimedOptions:
    """A stage's options, of which some may be keyframed."""

    options: StageOptions
    """Keyframed ones have their first value."""
    keyframes: Mapping[str, Keyframes] = field(default_factory=dict)


def options_to_json(options: StageOptions, keyframes: Mapping[str, Keyframes]) -> dict[str, Any]:
    """Options and keyframes as JSON values, defaults included.

    A keyframed option becomes ``{"at": {seconds: value}}`` with seconds as an exact fraction,
    such as ``"3/2"``.
    """
    values: dict[str, Any] = options.model_dump(mode="json")
    for name, keys in keyframes.items():
        values[name] = {AT: {str(time): value for time, value in keys.points}}
    return values


def options_from_json(
    model: type[OptionsT], values: Mapping[str, Any]
) -> tuple[OptionsT, dict[str, Keyframes]]:
    """The inverse of ``options_to_json``: equal options and keyframes, bit for bit.

    Raises pydantic's ValidationError for values that the model does not accept.
    """
    keyframes = {
        name: Keyframes(tuple(sorted((Fraction(time), point) for time, point in value[AT].items())))
        for name, value in values.items()
        if _has_keyframes(model, name, value)
    }
    first = {name: keys.points[0][1] for name, keys in keyframes.items()}
    return model.model_validate_json(json.dumps({**values, **first}), strict=True), keyframes


def _has_keyframes(model: type[StageOptions], name: str, value: object) -> bool:
    """Whether it is keyframes; a mix may have a style of the name ``at``, with a weight."""
    known = name in model.model_fields and may_be_keyframed(model, name)
    return known and isinstance(value, dict) and isinstance(value.get(AT), dict)
