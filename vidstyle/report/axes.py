"""Axes with round numbers: where values lie on a drawing, and which of them are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1, 2, 5, 10)
_FLAT: Final = 0.5
# An axis begins at 0 unless all values are over this share of the largest.
_EQUAL: Final = 1e-6
# Values that differ by less than this share of the largest are drawn as equal: round numbers
# between them would have more digits than a float.
_LEAST: Final = 1e-300
# Length of an axis, of which a tenth is still a number.


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight scale from values to the drawing's units."""

    low: float
    high: float
    start: float
    """Where ``low`` lies."""
    end: float
    """Where ``high`` lies."""
    ticks: tuple[float, ...]
    """Round values between ``low`` and ``high``, both included."""
    step: float
    """Between two ticks."""

    def at(self, value: float) -> float:
        """Where a value lies."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def label(self, tick: float) -> str:
        """A tick in as few digits as tell it from the next."""
        if tick == 0:
            return "0"
        if self.step < 1e-4:
            return f"{tick:.{max(0, _exponent(abs(tick)) - _exponent(self.step))}e}"
        return f"{tick:.{max(0, -_exponent(self.step))}f}"


def value_axis(values: list[float], start: float, end: float, *, most_ticks: int = 6) -> Axis:
    """An axis on which all of the values lie, from one round number to another."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if 0 <= low <= _FLAT * high:
        low = 0.0
    if high - low <= _EQUAL * max(abs(low), abs(high)):
        low, high = min(0.0, low), max(0.0, high)
    if high - low < _LEAST:
        high = 1.0
    step = _round_step((high - low) / (most_ticks - 2))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], start, end, ticks, step)


def frame_axis(first: int, count: int, start: float, end: float, *, most_ticks: int = 8) -> Axis:
    """An axis of ``count`` frames, from number ``first`` on; its ticks are whole."""
    last = first + max(1, count - 1)
    step = max(1, round(_round_step((last - first) / most_ticks)))
    begin = -(-first // step) * step
    return Axis(first, last, start, end, tuple(range(begin, last + 1, step)), step)


def _round_step(length: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is ``length`` or more."""
    power = 10.0 ** _exponent(length)
    # A hair less: 0.2 / 0.1 is a little over 2.
    return next(step * power for step in _STEPS if step * power >= length * (1 - 1e-9))


def _exponent(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)
