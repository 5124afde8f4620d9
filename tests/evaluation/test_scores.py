"""Scores in a sentence."""

from __future__ import annotations

import pytest

from vidstyle.evaluation.scores import summarize_scores


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ({"warping_error_reduction": 0.544}, "removes 54 % of the flicker"),
        (
            {"warping_error_reduction": -0.1, "sharpness": 1.02},
            "adds 10 % to the flicker and keeps 102 % of the sharpness",
        ),
        ({"sharpness": 0.9}, ""),
    ],
)
def test_scores_are_summarized(scores: dict[str, float], sentence: str) -> None:
    assert summarize_scores(scores) == sentence
