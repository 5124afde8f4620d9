"""The table marks the better figures, and no others."""

from __future__ import annotations

import pytest

from tests.report.page_reader import PageReader
from vidstyle.evaluation.scores import METRICS, Evaluation
from vidstyle.report.metric_text import BETTER, best, shown
from vidstyle.report.metrics_table import figures_table


def judged(notes: tuple[str, ...] = (), **figures: float) -> Evaluation:
    return Evaluation(evaluator="j", frames=3, cuts=(), coverage=0.5, scores=figures, notes=notes)


def rows(evaluations: dict[str, Evaluation]) -> dict[str, list[str]]:
    """The texts of the table's cells by the name of their figure."""
    text = figures_table(evaluations).text
    found = {}
    for row in text.split("<tr>")[2:]:
        name = PageReader(row.split("</tr>")[0]).text_of("code")
        cells = row.split("</tr>")[0].split("<td")[1:]
        found[name] = [
            " ".join(" ".join(text for _, text in PageReader(f"<td{cell}").texts).split())
            for cell in cells
        ]
    return found


@pytest.mark.parametrize(
    ("name", "values", "winners"),
    [
        ("e_warp", (0.2, 0.1), {1}),
        ("warping_error_reduction", (0.2, 0.1), {0}),
        ("ssim", (0.5, None, 0.6), {2}),
        ("luma_slope", (-0.3, 0.2, -0.1), {2}),
        ("sharpness", (0.8, 1.2, 1.1), {1, 2}),
        ("sharpness", (1.3, 1.2), set()),
        ("e_warp", (0.1, 0.2, 0.1), {0, 2}),
        ("e_warp", (0.1, 0.1), set()),
        ("e_warp", (0.12345, 0.123451), set()),
        ("e_warp", (0.1, None), set()),
        ("e_warp", (0.1, float("nan")), set()),
        ("source_e_warp", (0.1, 0.2), set()),
    ],
)
def test_best_values(name: str, values: tuple[float | None, ...], winners: set[int]) -> None:
    assert best(name, values) == winners


def test_every_figure_of_a_clip_has_a_better_end() -> None:
    assert set(BETTER) == set(METRICS) - {"source_e_warp", "per_frame_e_warp"}


def test_table_shows_what_is_known_in_the_order_of_the_figures() -> None:
    table = rows({"a": judged(ssim=0.9, e_warp=0.002), "b": judged(e_warp=0.00001)})
    assert list(table) == ["e_warp", "ssim", "coverage"]
    assert table["e_warp"] == ["0.002", "1.00e-05 best"]
    assert table["ssim"] == ["0.9", "\N{EN DASH} not known"]


def test_one_clip_alone_is_not_the_best() -> None:
    assert "best" not in figures_table({"a": judged(e_warp=0.1)}).text


def test_notes_stand_once_with_the_clips_they_are_about() -> None:
    text = figures_table({"a": judged(("all", "one")), "b": judged(("all",))}).text
    page = PageReader(text.split("<ul", 1)[1].join(["<ul", ""]))
    assert page.text_of("li") == "all: one"
    assert page.text_of("bdi") == "a"


def test_figures_that_are_not_finite_say_so() -> None:
    assert shown(float("inf")) == "not finite"
    assert shown(-0.00001234) == "-1.23e-05"
    assert shown(0.0) == "0"
