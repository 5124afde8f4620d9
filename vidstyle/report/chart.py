"""Curves of one figure over the same frames, and what they say in words."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from vidstyle.evaluation.scores import Series
from vidstyle.report.metric_text import shown


@dataclass(frozen=True, slots=True)
class Curve:
    """One line."""

    name: str
    series: Series
    style: str
    """Class of the line, which has its color and dashes."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines on the same axes."""

    title: str
    meaning: str
    curves: tuple[Curve, ...]

    @property
    def frames(self) -> int:
        return max((len(curve.series) for curve in self.curves), default=0)


def known(series: Series) -> list[float]:
    """The values that there are, without those that are not finite."""
    return [value for value in series if value is not None and math.isfinite(value)]


def summary(chart: Chart) -> str:
    """What the drawing shows, for who cannot see it."""
    lines = []
    for curve in chart.curves:
        if values := known(curve.series):
            mean = shown(sum(values) / len(values))
            lines.append(f"{curve.name}: {shown(min(values))} to {shown(max(values))}, mean {mean}")
    return f"{chart.title} over {chart.frames} frames. {'; '.join(lines)}"


def values_at(
    chart: Chart, begin: int, count: int, *, cuts: Collection[int], first_frame: int
) -> str:
    """The values of ``count`` frames from ``begin`` on, the highest where they are several.

    ``begin`` and ``cuts`` are counted from the first frame of the chart, which is ``first_frame``.
    """
    stop = min(begin + count, chart.frames)
    number, last = first_frame + begin, first_frame + stop - 1
    lines = [f"frame {number}" if last == number else f"frames {number} to {last}, highest values"]
    lines += [f"a shot begins at {first_frame + cut}" for cut in cuts if begin <= cut < stop]
    for curve in chart.curves:
        values = known(curve.series[begin:stop])
        lines.append(f"{curve.name}: {shown(max(values)) if values else 'no value'}")
    return "\n".join(lines)
