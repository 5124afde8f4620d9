"""How metrics run over time: which curves share a chart, and charts as SVG.

Colors and dashes are the page's: a curve has a class, so that charts follow a dark theme.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from markupsafe import Markup

from vidstyle.evaluation.scores import METRICS, Evaluation, Series
from vidstyle.report.score_table import format_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# How many clips have a line of their own color; then colors repeat with other dashes.
COLORS: Final = 8
# Series that are the same for all clips, drawn beside another one: their names and styles.
_BESIDE: Final = {
    "e_warp": {
        "source_e_warp": ("source: the floor", "floor"),
        "per_frame_e_warp": ("per-frame baseline", "baseline"),
    }
}
# An axis starts at 0 unless all values are over this fraction of the largest.
_FLAT: Final = 0.5
# Length of an axis, of which a tenth is still a number.
_LEAST: Final = 1e-300
_STEPS: Final = (1, 2, 5, 10)
_SETTINGS: Final = {"svg.fonttype": "none", "path.simplify": False, "font.size": 12}
_SVG: Final = "{http://www.w3.org/2000/svg}"
_DECIMALS: Final = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the plot lies within a drawing, in the drawing's units."""

    width: int = 440
    height: int = 220
    left: int = 58
    right: int = 430
    top: int = 10
    bottom: int = 186


PLOT: Final = Plot()


@dataclass(frozen=True, slots=True)
class Curve:
    """One line."""

    name: str
    series: Series
    style: str
    """Classes of the line, which have its color and dashes."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines on the same axes."""

    title: str
    meaning: str
    curves: tuple[Curve, ...]

    @property
    def frames(self) -> int:
        return max((len(curve.series) for curve in self.curves), default=0)

    @property
    def summary(self) -> str:
        """What the drawing shows, for those who cannot see it."""
        lines = []
        for curve in self.curves:
            if values := list(_finite(curve.series)):
                low, high, mean = min(values), max(values), sum(values) / len(values)
                span = f"{format_score(low)} to {format_score(high)}"
                lines.append(f"{curve.name}: {span}, mean {format_score(mean)}")
        return f"{self.title} over {self.frames} frames. {'; '.join(lines)}"


def charts_of(evaluations: Mapping[str, Evaluation]) -> tuple[Chart, ...]:
    """One chart for each metric that runs over time, in the order of ``METRICS``.

    Those that are 0 on every frame have no chart: their score says it.
    """

    def has(name: str) -> bool:
        return any(name in evaluation.series for evaluation in evaluations.values())

    beside = {name for other, names in _BESIDE.items() if has(other) for name in names}
    charts = (
        Chart(name, meaning, (*_clips(evaluations, name), *_references(evaluations, name)))
        for name, meaning in METRICS.items()
        if has(name) and name not in beside
    )
    return tuple(chart for chart in charts if any(any(curve.series) for curve in chart.curves))


def _clips(evaluations: Mapping[str, Evaluation], name: str) -> Iterator[Curve]:
    for number, (clip, evaluation) in enumerate(evaluations.items()):
        if name in evaluation.series:
            dashes = f" dash{number // COLORS % 3}" if number >= COLORS else ""
            yield Curve(clip, evaluation.series[name], f"c{number % COLORS}{dashes}")


def _references(evaluations: Mapping[str, Evaluation], name: str) -> Iterator[Curve]:
    for other, (title, style) in _BESIDE.get(name, {}).items():
        found = (one.series[other] for one in evaluations.values() if other in one.series)
        if (series := next(found, None)) is not None:
            yield Curve(title, series, style)


def draw_chart(chart: Chart, *, cuts: Sequence[int], first_frame: int) -> Markup:
    """The chart's grid, labels, cuts and curves, as the content of an SVG element.

    Args:
        chart: Its names are not part of the drawing.
        cuts: Indices of frames that begin a shot, counted from the first one evaluated.
        first_frame: The number of that frame in the clip.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Whatever a user has configured: equal evaluations give equal drawings.
    settings: Any = dict(mpl.rcParamsDefault) | _SETTINGS
    del settings["backend"]
    with mpl.rc_context(settings), io.StringIO() as file:
        drawing = Figure(figsize=(PLOT.width / 72, PLOT.height / 72))
        axes = _add_axes(drawing, chart, first_frame)
        for cut in cuts:
            axes.axvline(first_frame + cut, gid="cut", clip_on=False)
        for curve in chart.curves:
            _draw_curve(axes, curve, first_frame)
        drawing.savefig(file, format="svg", metadata={"Date": None})
        return _classed(file.getvalue())


def _add_axes(drawing: Figure, chart: Chart, first_frame: int) -> Axes:
    """Axes without a frame, at the place of ``PLOT``, with round numbers."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    left, bottom = PLOT.left / PLOT.width, 1 - PLOT.bottom / PLOT.height
    width, height = PLOT.right / PLOT.width - left, 1 - PLOT.top / PLOT.height - bottom
    axes = drawing.add_axes((left, bottom, width, height), frameon=False)
    axes.set_xlim(first_frame, first_frame + max(1, chart.frames - 1))
    axes.set_xlabel("frame", labelpad=2)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=_STEPS, integer=True))
    ticks = MaxNLocator(5, steps=_STEPS).tick_values(*_value_range(chart))
    axes.set_ylim(ticks[0], ticks[-1])
    axes.set_yticks(ticks)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.6g}"))
    axes.tick_params(bottom=False, left=False)
    axes.grid(axis="y", gid="grid", clip_on=False)
    return axes


def _value_range(chart: Chart) -> tuple[float, float]:
    values = [value for curve in chart.curves for value in _finite(curve.series)]
    low, high = min(values, default=0.0), max(values, default=0.0)
    if 0 <= low <= _FLAT * high:
        low = 0.0
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        # Round numbers between them would have more digits than a float.
        low, high = min(0.0, low), max(0.0, high)
    return low, high if high - low >= _LEAST else 1.0


def _draw_curve(axes: Axes, curve: Curve, first_frame: int) -> None:
    """A line with gaps; a value between two gaps is a line to itself, which shows as a dot."""
    runs = _unbroken(curve.series)
    across, up = list[float](), list[float]()
    for run in runs:
        points = run if len(run) > 1 else 2 * run
        across += [*(first_frame + index for index, _ in points), math.nan]
        up += [*(value for _, value in points), math.nan]
    # Values of every fifth frame are dots alone, and must be visible.
    sparse = " sparse" if all(len(run) == 1 for run in runs) else ""
    axes.plot(across, up, gid=f"line {curve.style}{sparse}", clip_on=False)


def _unbroken(series: Series) -> list[list[tuple[int, float]]]:
    """Runs of values without a gap, each value with its index."""
    runs: list[list[tuple[int, float]]] = []
    for index, value in enumerate(series):
        if value is None or not math.isfinite(value):
            continue
        if runs and runs[-1][-1][0] == index - 1:
            runs[-1].append((index, value))
        else:
            runs.append([(index, value)])
    return runs


def _finite(series: Series) -> Iterator[float]:
    return (value for value in series if value is not None and math.isfinite(value))


def _classed(svg: str) -> Markup:
    """The lines and labels of matplotlib's SVG, with a class in place of each style.

    The page's policy forbids styles in elements, and its style sheet has both themes.
    """
    parts = []
    for group in ElementTree.fromstring(svg).iter(f"{_SVG}g"):
        name = group.get("id", "")
        if name.startswith(("grid", "cut", "line ")):
            for path in group.iter(f"{_SVG}path"):
                data = _DECIMALS.sub(_hundredths, " ".join(path.get("d", "").split()))
                parts.append(Markup('<path class="{}" d="{}"></path>').format(name, data))
        for text in group.findall(f"{_SVG}text"):
            anchor = "end" if "text-anchor: end" in text.get("style", "") else "middle"
            parts.append(
                Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
                    *(_DECIMALS.sub(_hundredths, text.get(side, "")) for side in "xy"),
                    anchor,
                    text.text,
                )
            )
    return Markup("\n").join(parts)


def _hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
