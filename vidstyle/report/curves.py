"""How figures run over time, drawn in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from vidstyle.evaluation.scores import Series
from vidstyle.report.axes import Axis, frame_axis, value_axis
from vidstyle.report.chart import Chart, Curve, known, summary, values_at
from vidstyle.report.markup import Markup, element, joined

_WIDTH, _HEIGHT = 440, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 430, 10, 186
# Of the plot within the drawing.
_BANDS: Final = 500
# Most places of a drawing that tell their values when pointed at.

_Span: TypeAlias = tuple[int, int]


def drawn(chart: Chart, *, cuts: Sequence[int], first_frame: int) -> Markup:
    """The chart with its legend.

    ``cuts`` are counted from the first frame judged, which is number ``first_frame`` of the clip.
    """
    across = frame_axis(first_frame, chart.frames, _LEFT, _RIGHT)
    up = value_axis([v for curve in chart.curves for v in known(curve.series)], _BOTTOM, _TOP)
    drawing = element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "role": "img",
            "aria-label": summary(chart),
            "class": "curves",
            "data-left": _LEFT,
            "data-right": _RIGHT,
            "data-frames": chart.frames,
        },
        _grid(across, up),
        *(_cut(first_frame + cut, across) for cut in cuts),
        *(_line(curve, across, up) for curve in chart.curves),
        element("line", {"class": "cursor", "x1": _LEFT, "x2": _LEFT, "y1": _TOP, "y2": _BOTTOM}),
        *_bands(chart, across, cuts),
    )
    head = joined(element("code", {}, chart.title), " ", chart.meaning)
    return element(
        "figure", {"class": "chart"}, element("figcaption", {}, head), drawing, _legend(chart)
    )


def _line(curve: Curve, across: Axis, up: Axis) -> Markup:
    # Figures of every fifth frame are dots alone, and have to be seen.
    sparse = all(end - begin == 1 for begin, end in _unbroken(curve.series))
    style = f"line {curve.style}" + (" sparse" if sparse else "")
    return element("path", {"class": style, "d": path(curve.series, across, up)})


def path(series: Series, across: Axis, up: Axis) -> str:
    """The series as path data: a new line after each gap, and a dot for a value between two."""
    parts: list[str] = []
    for begin, end in _unbroken(series):
        points = [
            f"{across.at(across.low + index):.2f} {up.at(series[index] or 0.0):.2f}"
            for index in range(begin, end)
        ]
        parts.append(f"M{'L'.join(points)}" + ("h0" if len(points) == 1 else ""))
    return "".join(parts)


def _unbroken(series: Series) -> list[_Span]:
    """Where values stand without a gap, each as its first index and the one after its last."""
    spans: list[_Span] = []
    for index, value in enumerate(series):
        if value is None or not math.isfinite(value):
            continue
        if spans and spans[-1][1] == index:
            spans[-1] = spans[-1][0], index + 1
        else:
            spans.append((index, index + 1))
    return spans


def _grid(across: Axis, up: Axis) -> Markup:
    parts = []
    for tick in up.ticks:
        y = round(up.at(tick), 2)
        parts.append(
            element("line", {"class": "grid", "x1": _LEFT, "x2": _RIGHT, "y1": y, "y2": y})
        )
        position = {"x": _LEFT - 6, "y": round(y + 4, 2), "text-anchor": "end"}
        parts.append(element("text", position, up.label(tick)))
    for tick in across.ticks:
        x = round(across.at(tick), 2)
        position = {"class": "grid", "x1": x, "x2": x, "y1": _BOTTOM, "y2": _BOTTOM + 4}
        parts.append(element("line", position))
        parts.append(
            element(
                "text", {"x": x, "y": _BOTTOM + 17, "text-anchor": "middle"}, across.label(tick)
            )
        )
    middle = {"x": (_LEFT + _RIGHT) / 2, "y": _HEIGHT - 3, "text-anchor": "middle"}
    return joined(*parts, element("text", middle, "frame"))


def _cut(frame: int, across: Axis) -> Markup:
    x = round(across.at(frame), 2)
    return element("line", {"class": "cut", "x1": x, "x2": x, "y1": _TOP, "y2": _BOTTOM})


def _bands(chart: Chart, across: Axis, cuts: Sequence[int]) -> list[Markup]:
    """Places that tell the values below them; of several frames together, the highest ones."""
    each = max(1, -(-chart.frames // _BANDS))
    first = round(across.low)
    width = (across.at(across.low + 1) - across.at(across.low)) * each
    return [
        element(
            "rect",
            {
                "class": "band",
                "x": round(across.at(across.low + begin) - width / each / 2, 2),
                "y": _TOP,
                "width": round(width, 2),
                "height": _BOTTOM - _TOP,
            },
            element("title", {}, values_at(chart, begin, each, cuts=cuts, first_frame=first)),
        )
        for begin in range(0, chart.frames, each)
    ]


def _legend(chart: Chart) -> Markup:
    """The lines' names, with room for their values at the frame that plays."""
    entries = []
    for curve in chart.curves:
        sample = {"class": f"line {curve.style}", "d": "M1 6h26"}
        stroke = element("path", sample)
        mark = element(
            "svg", {"viewBox": "0 0 28 12", "class": "sample", "aria-hidden": "true"}, stroke
        )
        value = element("span", {"class": "value"})
        entries.append(element("li", {}, mark, element("bdi", {}, curve.name), " ", value))
    return element("ul", {"class": "legend"}, *entries)
