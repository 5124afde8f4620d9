"""Options that change over time: ``strength: {at: {0s: 0, 2s: 1}}``.

Between two keyframes the value goes in a straight line; before the first and after the
last it is held. Times count from the first frame of the run. A mix, such as
``style: {at: {0s: a, 4s: {a: 1, b: 1}}}``, goes in a straight line in each of its weights.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Protocol, TypeAlias

from vidstyle.core.options import StageOptions
from vidstyle.runner.config.suggest import shown
from vidstyle.runner.config.yaml_values import Where, YamlList, YamlMap, YamlValue

AT = "at"
TIME = r"^([0-9]+(\.[0-9]+)?(s|ms)|([0-9]+:)?[0-9]+:[0-9]{1,2}(\.[0-9]+)?)$"
"""A time as text: ``2s``, ``1.5s``, ``100ms``, ``1:30`` (minutes), ``1:02:03.5`` (hours)."""
_LONGEST = 32
_FORM = "{at: {0s: 0, 2s: 1}}"

Points: TypeAlias = tuple[tuple[Fraction, YamlValue], ...]
"""Seconds and the value there, as they were written, in order of time."""

Value: TypeAlias = float | Mapping[str, float]
"""A number, or the weights of a mix by name."""


@dataclass(frozen=True, slots=True)
class Keyframes:
    """The values of one option over time."""

    points: tuple[tuple[Fraction, Value], ...]
    """Seconds and the value there, in order of time, no time twice, at least one.

    All are numbers, or all are mixes of the same names.
    """

    def __post_init__(self) -> None:
        times = [time for time, _ in self.points]
        if not times or any(b <= a for a, b in pairwise(times)):
            raise ValueError(f"keyframes are at least one, in order of time, got {times}")

    def value_at(self, seconds: Fraction) -> Value:
        """The value at a time; exact arithmetic, so it stays between its neighbors."""
        after = bisect_right(self.points, seconds, key=lambda point: point[0])
        if after in (0, len(self.points)):
            return self.points[min(after, len(self.points) - 1)][1]
        (start, low), (end, high) = self.points[after - 1], self.points[after]
        return _between(low, high, (seconds - start) / (end - start))


def _between(low: Value, high: Value, share: Fraction) -> Value:
    if isinstance(low, Mapping) and isinstance(high, Mapping):
        return {name: _number_between(low[name], high[name], share) for name in low}
    assert not isinstance(low, Mapping)
    assert not isinstance(high, Mapping)
    return _number_between(low, high, share)


def _number_between(low: float, high: float, share: Fraction) -> float:
    return float(Fraction(low) + share * (Fraction(high) - Fraction(low)))


def mixes(
    points: Sequence[tuple[Fraction, str | Mapping[str, float]]],
) -> tuple[tuple[Fraction, Mapping[str, float]], ...]:
    """Mixes at times, each with every name of all of them; a name alone has weight 1."""
    weights = [{mix: 1.0} if isinstance(mix, str) else mix for _, mix in points]
    names = dict.fromkeys(name for mix in weights for name in mix)
    return tuple(
        (time, {name: mix.get(name, 0.0) for name in names})
        for (time, _), mix in zip(points, weights, strict=True)
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


def options_at(entry: Keyed, seconds: Fraction) -> StageOptions:
    """The stage's options as they are at a time; the very same object where none changes."""
    if not entry.keyframes:
        return entry.options
    values = {name: keys.value_at(seconds) for name, keys in entry.keyframes.items()}
    return entry.options.model_copy(update=values)


def read_points(value: YamlMap, what: str) -> Points:
    """The keyframes that a pipeline has for an option, each value still to be validated.

    ``what`` names the option in errors. Raises PipelineError for another form or a bad time.
    """
    for key, where in value.keys.items():
        if key != AT:
            raise where.error(f"{what} has no key {shown(key)}; write {_FORM}")
    times = value.items.get(AT)
    if not isinstance(times, YamlMap) or not times.items:
        got = "" if times is None else f", got {times}"
        raise value.where.error(f"{what} wants a number, or {_FORM}{got}")
    points: dict[Fraction, YamlValue] = {}
    for text, point in times.items.items():
        time = parse_time(text, times.keys[text])
        if time in points:
            raise times.keys[text].error(f"{what} has two values at {shown(text)}; keep one")
        if isinstance(point, YamlList):
            raise point.where.error(f"{what} wants a number at {shown(text)}, got {point}")
        points[time] = point
    return tuple(sorted(points.items(), key=lambda point: point[0]))


def parse_time(text: str, where: Where) -> Fraction:
    """Seconds, exact. Raises PipelineError where the text is not a time."""
    if len(text) > _LONGEST or not re.match(TIME, text, re.ASCII) or text.endswith("\n"):
        raise where.error(f"{shown(text)} is not a time; write 2s, 1.5s, 100ms or 1:30")
    if text.endswith("ms"):
        return Fraction(text[:-2]) / 1000
    seconds = Fraction(0)
    for part in text.removesuffix("s").split(":"):
        seconds = seconds * 60 + Fraction(part)
    return seconds
