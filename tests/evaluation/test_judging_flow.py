"""Judges see known motions both ways, and none judges its own blend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vidstyle.core.errors import UsageError, WeightsError
from vidstyle.evaluation.judging_flow import JUDGES, JudgeName, choose_judge
from vidstyle.testing import pan


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any weights."""
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path))


def check_pan(name: JudgeName, weights: Path | None, *, tolerance: float) -> None:
    judge = choose_judge(name, weights=weights, device="cpu")
    assert judge.name == name
    first, second = (frame.host("source") for frame in pan(frames=2, step=(2, -1)).frames)
    forward, backward = judge.flow(first, second)
    assert forward.shape == backward.shape == (*first.shape[:2], 2)
    inside = slice(20, -20)
    for flow, step in ((forward, (2, -1)), (backward, (-2, 1))):
        mean = flow[inside, inside].mean(axis=(0, 1))
        np.testing.assert_allclose(mean, step, atol=tolerance)


@pytest.mark.parametrize("name", ["farneback", "dis"])
def test_classic_judges_see_a_pan_both_ways(name: JudgeName) -> None:
    check_pan(name, None, tolerance=0.1)


@pytest.mark.slow
def test_raft_sees_a_pan_both_ways(shared_data: Path) -> None:
    check_pan("raft-small", shared_data / "weights", tolerance=0.3)


@pytest.mark.slow
def test_raft_judges_unasked_where_its_weights_are(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(shared_data / "weights"))
    judge = choose_judge(device="cpu")
    assert (judge.name, judge.notes) == ("raft-small", ())


@pytest.mark.usefixtures("bare")
def test_without_weights_farneback_judges_and_says_why() -> None:
    judge = choose_judge()
    assert judge.name == "farneback"
    assert "no weights of RAFT-small" in judge.notes[0]


@pytest.mark.usefixtures("bare")
def test_who_blended_is_passed_over() -> None:
    judge = choose_judge(blended_with="farneback")
    assert judge.name == "dis"
    assert "farneback does not judge: the clip was blended with it" in judge.notes


@pytest.mark.parametrize("name", JUDGES)
def test_no_flow_judges_its_own_blend(name: JudgeName) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot judge what was blended with it"):
        choose_judge(name, blended_with=name)


def test_a_folder_of_weights_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is not there"):
        choose_judge("raft-small", weights=tmp_path / "none")
