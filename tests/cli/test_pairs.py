"""``--pairs`` names what consistency is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from vidstyle.cli.style_train import pairs_of
from vidstyle.core.errors import InputError, UsageError
from vidstyle.training.pair_choice import MOTION


def test_motion_needs_no_path() -> None:
    assert pairs_of("motion") == MOTION


@pytest.mark.parametrize("text", ["", "motoin", "motion:", "motion:here", ":here", "flow:here"])
def test_anything_else_is_refused_with_what_is_wanted(text: str) -> None:
    with pytest.raises(UsageError, match=r"--pairs .*: wanted motion"):
        pairs_of(text)


@dataclass(frozen=True)
class OtherChoice:
    """Stands in for a choice that has a kind with a path."""

    kind: Literal["motion", "sceneflow"]
    path: Path | None = None


def test_other_kinds_need_a_path_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.training.pair_choice.PairChoice", OtherChoice)
    assert pairs_of(f"sceneflow:{tmp_path}") == OtherChoice("sceneflow", tmp_path)
    with pytest.raises(UsageError, match="--pairs sceneflow: wanted motion, sceneflow:PATH"):
        pairs_of("sceneflow")
    with pytest.raises(InputError, match="--pairs sceneflow:none: there is no none"):
        pairs_of("sceneflow:none")
