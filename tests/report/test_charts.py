"""Each metric over time has one chart, with what belongs beside it, drawn point by point."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup

from tests.report.page_reader import PageReader
from vidstyle.evaluation.scores import Evaluation, Series
from vidstyle.report.charts import PLOT, Chart, Curve, charts_of, draw_chart

RISING: Series = (None, 1.0, 2.0)
GAPS: Series = (None, 0.25, 0.5, None, 1.0, None, 0.125, float("nan"))


def evaluation(**series: Series) -> Evaluation:
    return Evaluation(evaluator="j", frames=3, cuts=(), coverage=1, scores={}, series=series)


def names(chart: Chart) -> list[str]:
    return [curve.name for curve in chart.curves]


def test_source_and_baseline_lie_beside_e_warp_once() -> None:
    one = evaluation(e_warp=RISING, source_e_warp=RISING, per_frame_e_warp=RISING, ssim=RISING)
    charts = charts_of({"one": one, "two": evaluation(e_warp=RISING)})
    assert [chart.title for chart in charts] == ["e_warp", "ssim"]
    assert names(charts[0]) == ["one", "two", "source: the floor", "per-frame baseline"]
    assert names(charts[1]) == ["one"]


def test_the_source_without_a_clip_has_a_chart_of_its_own() -> None:
    (chart,) = charts_of({"one": evaluation(source_e_warp=RISING)})
    assert (chart.title, names(chart)) == ("source_e_warp", ["one"])


def test_lines_differ_and_a_clip_keeps_its_own() -> None:
    clips = {str(number): evaluation(e_warp=RISING, ssim=RISING) for number in range(20)}
    warp, ssim = charts_of(clips)
    styles = [curve.style for curve in warp.curves]
    assert len(set(styles)) == 20
    assert styles == [curve.style for curve in ssim.curves]


def test_what_is_zero_on_every_frame_has_no_chart() -> None:
    one = evaluation(e_warp=RISING, dead_pixels=(0.0, None, 0.0), dead_blobs=(0.0, 0.0, 1.0))
    assert [chart.title for chart in charts_of({"one": one})] == ["e_warp", "dead_blobs"]


def test_without_series_there_is_no_chart() -> None:
    assert charts_of({"one": evaluation()}) == ()


def chart_of(*series: Series) -> Chart:
    curves = (Curve(f"{at}<", values, f"c{at}") for at, values in enumerate(series))
    return Chart("e_warp", "means", tuple(curves))


class Drawing:
    """What a drawing shows, read back from its coordinates and the labels of its axes."""

    def __init__(self, markup: Markup) -> None:
        self._page = PageReader(markup)
        texts = [text for tag, text in self._page.texts if tag == "text"]
        self.labels = list(zip(texts, self._page.named("text"), strict=True))

    def ticks(self, anchor: str) -> list[float]:
        """Numbers of an axis: at the left they end, below they are in the middle."""
        return [
            float(text.replace("\N{MINUS SIGN}", "-"))
            for text, element in self.labels
            if element.attributes["text-anchor"] == anchor and text != "frame"
        ]

    def lines(self, style: str) -> list[list[tuple[float, float]]]:
        """The lines of the path of that class, each as its points."""
        (path,) = (e for e in self._page.named("path") if e.attributes["class"] == style)
        lines = []
        for part in (path.attributes["d"] or "").split("M")[1:]:
            assert re.fullmatch(r"[\d. L-]+", part)
            lines.append([(float(x), float(y)) for x, y in map(str.split, part.split("L"))])
        return lines

    def values(self, style: str, count: int) -> dict[int, float]:
        """The value at each index, from where it lies between the outer ticks."""
        low, high = min(self.ticks("end")), max(self.ticks("end"))
        found = {}
        for x, y in (point for line in self.lines(style) for point in line):
            index = (x - PLOT.left) / (PLOT.right - PLOT.left) * (count - 1)
            assert index == pytest.approx(round(index), abs=0.02)
            up = (PLOT.bottom - y) / (PLOT.bottom - PLOT.top)
            found[round(index)] = low + up * (high - low)
        return found


def draw(chart: Chart, *, cuts: tuple[int, ...] = (), first_frame: int = 0) -> Drawing:
    return Drawing(draw_chart(chart, cuts=cuts, first_frame=first_frame))


def test_points_are_the_series() -> None:
    series = tuple(np.random.default_rng(2).uniform(0, 0.01, 60).tolist())
    found = draw(chart_of(series)).values("line c0", 60)
    assert sorted(found) == list(range(60))
    # A hundredth of a unit of the drawing.
    np.testing.assert_allclose([found[at] for at in range(60)], series, atol=0.01 / 176 / 2)


def test_gaps_break_the_line_and_single_values_are_dots() -> None:
    drawing = draw(chart_of(GAPS), first_frame=30)
    assert [len(line) for line in drawing.lines("line c0")] == [2, 2, 2]
    (between, after) = drawing.lines("line c0")[1:]
    assert between[0] == between[1]
    assert after[0] == after[1]
    found = drawing.values("line c0", len(GAPS))
    assert found == pytest.approx({1: 0.25, 2: 0.5, 4: 1.0, 6: 0.125}, abs=1e-4)


def test_dots_alone_are_large() -> None:
    (line,) = draw(chart_of((0.5, None, 0.7))).lines("line c0 sparse")[:1]
    assert line[0] == line[1]


def test_cuts_stand_where_a_shot_begins() -> None:
    drawing = draw(chart_of((0.5,) * 8), cuts=(4,), first_frame=100)
    ((bottom, top),) = drawing.lines("cut")
    x = PLOT.left + (PLOT.right - PLOT.left) * 4 / 7
    assert bottom == pytest.approx((x, PLOT.bottom), abs=0.01)
    assert top == pytest.approx((x, PLOT.top), abs=0.01)


def test_axes_have_round_numbers_and_whole_frames() -> None:
    drawing = draw(chart_of((0.1, 0.7, 0.83)), first_frame=1234)
    assert drawing.ticks("end") == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert drawing.ticks("middle") == [1234, 1235, 1236]
    # Of values that are alike, the differences.
    assert min(draw(chart_of((0.95, 0.97))).ticks("end")) > 0.9


@pytest.mark.parametrize(
    "series", [(), (None,), (0.5,), (None, None), (0.0, 0.0), (1e-9, 1e-9), (-2.0, 3.0), (1e300,)]
)
def test_any_series_has_two_ticks_at_least(series: Series) -> None:
    assert len(set(draw(chart_of(series)).ticks("end"))) >= 2


def test_summary_is_the_chart_in_words() -> None:
    chart = chart_of(GAPS, (0.5,) * 8)
    assert chart.summary == (
        "e_warp over 8 frames. 0<: 0.125 to 1, mean 0.4688; 1<: 0.5 to 0.5, mean 0.5"
    )


def test_a_users_settings_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 40\nlines.linestyle: --\ntext.usetex: True")
    code = (
        "from vidstyle.report.charts import *\n"
        "chart = Chart('a', 'b', (Curve('c', (1.0, 2.0), 'c0'),))\n"
        "print(draw_chart(chart, cuts=[1], first_frame=0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    chart = Chart("a", "b", (Curve("c", (1.0, 2.0), "c0"),))
    assert done.stdout == f"{draw_chart(chart, cuts=[1], first_frame=0)}\n"
