"""The table marks the better scores, and no others."""

from __future__ import annotations

import pytest

from vidstyle.evaluation.scores import METRICS, Evaluation
from vidstyle.report.score_table import BETTER, ClipNote, find_best, format_score, score_table


def evaluation(notes: tuple[str, ...] = (), **scores: float) -> Evaluation:
    return Evaluation(evaluator="j", frames=3, cuts=(), coverage=0.5, scores=scores, notes=notes)


def rows(evaluations: dict[str, Evaluation]) -> dict[str, list[tuple[str | None, bool]]]:
    """Texts and marks of the table's cells by the name of their metric."""
    table = score_table(evaluations)
    return {row.name: [(cell.text, cell.best) for cell in row.cells] for row in table.rows}


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
    assert find_best(name, values) == winners


def test_every_metric_of_a_clip_has_a_better_end() -> None:
    assert set(BETTER) == set(METRICS) - {"source_e_warp", "per_frame_e_warp"}


def test_table_shows_what_is_known_in_the_order_of_the_metrics() -> None:
    table = rows({"a": evaluation(ssim=0.9, e_warp=0.002), "b": evaluation(e_warp=0.00001)})
    assert table == {
        "e_warp": [("0.002", False), ("1.00e-05", True)],
        "ssim": [("0.9", False), (None, False)],
        "coverage": [("0.5", False), ("0.5", False)],
    }


def test_the_only_clip_is_not_the_best() -> None:
    assert rows({"a": evaluation(e_warp=0.1)})["e_warp"] == [("0.1", False)]


def test_notes_are_there_once_with_the_clips_they_are_about() -> None:
    evaluations = {"a": evaluation(("all", "one")), "b": evaluation(("all",))}
    assert score_table(evaluations).notes == (ClipNote("all", ()), ClipNote("one", ("a",)))


def test_scores_that_are_not_finite_say_so() -> None:
    assert format_score(float("inf")) == "not finite"
    assert format_score(-0.00001234) == "-1.23e-05"
    assert format_score(0.0) == "0"
