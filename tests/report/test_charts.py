"""Each figure over time has one drawing, with what belongs beside it."""

from __future__ import annotations

from vidstyle.evaluation.scores import Evaluation, Series
from vidstyle.report.chart import Chart
from vidstyle.report.charts import charts_of

RISING: Series = (None, 1.0, 2.0)


def judged(**series: Series) -> Evaluation:
    return Evaluation(evaluator="j", frames=3, cuts=(), coverage=1, scores={}, series=series)


def names(chart: Chart) -> list[str]:
    return [curve.name for curve in chart.curves]


def test_source_and_per_frame_lie_beside_e_warp_once() -> None:
    one = judged(e_warp=RISING, source_e_warp=RISING, per_frame_e_warp=RISING, ssim=RISING)
    charts = charts_of({"one": one, "two": judged(e_warp=RISING)})
    assert [chart.title for chart in charts] == ["e_warp", "ssim"]
    assert names(charts[0]) == ["one", "two", "source: the floor", "per frame"]
    assert names(charts[1]) == ["one"]


def test_source_alone_has_a_drawing_of_its_own() -> None:
    (chart,) = charts_of({"one": judged(source_e_warp=RISING)})
    assert (chart.title, names(chart)) == ("source_e_warp", ["one"])


def test_lines_differ_and_a_clip_keeps_its_own() -> None:
    clips = {str(number): judged(e_warp=RISING, ssim=RISING) for number in range(20)}
    warp, ssim = charts_of(clips)
    styles = [curve.style for curve in warp.curves]
    assert len(set(styles)) == 20
    assert styles == [curve.style for curve in ssim.curves]


def test_without_series_there_is_no_drawing() -> None:
    assert charts_of({"one": judged()}) == ()
