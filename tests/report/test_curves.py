"""What is drawn is the series, point by point."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from tests.report.page_reader import PageReader
from vidstyle.evaluation.scores import Series
from vidstyle.report.axes import frame_axis, value_axis
from vidstyle.report.chart import Chart, Curve
from vidstyle.report.curves import drawn, path

LEFT, RIGHT, BOTTOM, TOP = 58, 430, 186, 10
GAPS: Series = (None, 0.25, 0.5, None, 1.0, None, 0.125, float("nan"))


def points_of(data: str) -> list[list[tuple[float, float]]]:
    """The lines of path data, each as its points."""
    lines = []
    for part in data.split("M")[1:]:
        assert re.fullmatch(r"[\d. -]+(L[\d. -]+)*(h0)?", part)
        places = part.removesuffix("h0").split("L")
        lines.append([(float(x), float(y)) for x, y in (position.split() for position in places)])
    return lines


def values_drawn(data: str, count: int, low: float, high: float) -> dict[int, float]:
    """Index and value of every point, from where they lie."""
    found = {}
    for x, y in (point for line in points_of(data) for point in line):
        index = (x - LEFT) / (RIGHT - LEFT) * (count - 1)
        assert index == pytest.approx(round(index), abs=0.02)
        found[round(index)] = low + (BOTTOM - y) / (BOTTOM - TOP) * (high - low)
    return found


def test_points_are_the_series() -> None:
    series = tuple(np.random.default_rng(2).uniform(0, 0.01, 60).tolist())
    up = value_axis(list(series), BOTTOM, TOP)
    data = path(series, frame_axis(0, 60, LEFT, RIGHT), up)
    found = values_drawn(data, 60, up.low, up.high)
    assert sorted(found) == list(range(60))
    # A hundredth of a unit of the drawing.
    np.testing.assert_allclose([found[at] for at in range(60)], series, atol=up.high / 176 / 99)


def test_gaps_break_the_line_and_single_values_are_dots() -> None:
    up = value_axis([0.0, 1.0], BOTTOM, TOP)
    data = path(GAPS, frame_axis(30, len(GAPS), LEFT, RIGHT), up)
    assert [len(line) for line in points_of(data)] == [2, 1, 1]
    assert data.count("h0") == 2
    found = values_drawn(data, len(GAPS), 0, 1)
    assert found == pytest.approx({1: 0.25, 2: 0.5, 4: 1.0, 6: 0.125}, abs=1e-4)


def test_drawing_has_lines_cuts_and_words() -> None:
    curves = (Curve("a<b", GAPS, "c0"), Curve("floor", (0.5,) * len(GAPS), "floor"))
    page = PageReader(drawn(Chart("e_warp", "means", curves), cuts=[4], first_frame=100).text)
    data = [e.attributes["d"] or "" for e in page.named("path")]
    drawings = [one for one in data if one != "M1 6h26"]  # which is a sample of the legend
    assert len(drawings) == 2
    assert values_drawn(drawings[0], 8, 0, 1)[4] == pytest.approx(1.0, abs=1e-4)
    (cut,) = (e for e in page.named("line") if e.attributes["class"] == "cut")
    assert float(cut.attributes["x1"] or 0) == pytest.approx(
        LEFT + (RIGHT - LEFT) * 4 / 7, abs=0.01
    )
    titles = [text for tag, text in page.texts if tag == "title"]
    assert len(titles) == 8
    assert titles[4] == "frame 104\na shot begins at 104\na<b: 1\nfloor: 0.5"
    assert titles[3] == "frame 103\na<b: no value\nfloor: 0.5"
    assert page.text_of("bdi") == "a<bfloor"
    (label,) = (e.attributes["aria-label"] for e in page.named("svg") if "role" in e.attributes)
    assert label is not None
    assert "a<b: 0.125 to 1, mean 0.4688" in label


def test_frames_of_long_clips_share_their_words() -> None:
    series: list[float | None] = [0.1] * 1201
    series[700] = 0.9
    chart = Chart("e_warp", "means", (Curve("one", tuple(series), "c0"),))
    page = PageReader(drawn(chart, cuts=[700], first_frame=0).text)
    titles = [text for tag, text in page.texts if tag == "title"]
    assert len(titles) == math.ceil(1201 / 3)
    (high,) = (title for title in titles if "0.9" in title)
    assert high == "frames 699 to 701, highest values\na shot begins at 700\none: 0.9"
    assert titles[-1] == "frame 1200\none: 0.1"


@pytest.mark.parametrize("series", [(), (None,), (0.5,), (None, None)])
def test_short_series_can_be_drawn(series: Series) -> None:
    chart = Chart("e_warp", "means", (Curve("one", series, "c0"),))
    page = PageReader(drawn(chart, cuts=(), first_frame=0).text)
    assert len(page.named("rect")) == len(series)
