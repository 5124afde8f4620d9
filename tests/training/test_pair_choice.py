"""Pairs as a user names them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.core.errors import InputError
from vidstyle.training.motion import MovedPhotos
from vidstyle.training.pair_choice import MOTION, Alternating, PairChoice, pair_source
from vidstyle.training.pairs import Pair
from vidstyle.training.photos import list_photos


class Gray:
    """Still pairs of one gray."""

    def __init__(self, level: float) -> None:
        self._level = level

    def draw(self, count: int) -> Pair:
        image = torch.full((count, 3, 8, 8), self._level)
        return Pair(image, image, torch.zeros(count, 2, 8, 8), torch.ones(count, 1, 8, 8))


def test_photos_in_motion_are_the_default(photos: Path) -> None:
    source = pair_source(MOTION, list_photos(photos), 32, np.random.default_rng(0))
    assert isinstance(source, MovedPhotos)
    assert str(MOTION) == "motion"


@pytest.mark.slow
@pytest.mark.parametrize("folder", [False, True])
def test_a_clip_or_a_folder_of_clips_alternates_with_photos(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    clip = Path("samples/demo.mp4")
    choice = PairChoice("video", clip.parent if folder else clip)
    source = pair_source(choice, list_photos(photos), 32, np.random.default_rng(0))
    assert isinstance(source, Alternating)
    assert source.draw(4).current.shape == (4, 3, 32, 32)
    # Beside it lies the hidden folder of interrupted work.
    assert len(list((tmp_path / "cache" / "pairs").glob("[!.]*"))) == 1


def test_a_folder_without_scenes_is_an_error(photos: Path, tmp_path: Path) -> None:
    choice = PairChoice("sceneflow", photos)
    with pytest.raises(InputError):
        pair_source(choice, list_photos(photos), 32, np.random.default_rng(0))


def test_sources_alternate_at_random_and_evenly() -> None:
    both = Alternating((Gray(0.0), Gray(1.0)), np.random.default_rng(0))
    drawn = both.draw(200).current[:, 0, 0, 0]
    assert set(drawn.tolist()) == {0.0, 1.0}
    assert 70 < int(drawn.sum()) < 130


def test_the_same_generator_gives_the_same_row() -> None:
    rows = [
        Alternating((Gray(0.0), Gray(1.0)), np.random.default_rng(3)).draw(20).current
        for _ in range(2)
    ]
    assert torch.equal(rows[0], rows[1])
