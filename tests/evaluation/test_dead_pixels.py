"""The detector finds what was planted, on flat and on textured paintings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.evaluation.dead_pixels import Recall, Tally, plant
from vidstyle.imaging.dead_pixels import Strokes, dead_pixels

HEIGHT, WIDTH = 180, 240


def photo(seed: int) -> HostArray:
    """Soft shapes with an edge or two."""
    random = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(random.random((HEIGHT, WIDTH, 3), np.float32), (0, 0), 8) - 0.5
    picture = 0.5 + soft * (0.15 / soft.std())
    picture[:, WIDTH // 2 :] *= 0.7
    return np.asarray(np.clip(picture, 0.1, 0.9), np.float32)


def flat_painting(seed: int) -> HostArray:
    colours = np.random.default_rng(seed).uniform(0.15, 0.85, (4, 5, 3)).astype(np.float32)
    large = cv2.resize(colours, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), 0.7), np.float32)


def textured_painting(seed: int) -> HostArray:
    """Brush marks of a few pixels, and dark outlines of one or two."""
    random = np.random.default_rng(seed)
    marks = cv2.GaussianBlur(random.random((HEIGHT, WIDTH, 3), np.float32), (0, 0), 1.5) - 0.5
    picture = flat_painting(seed) + marks * (0.06 / marks.std())
    for _ in range(12):
        first, last = random.integers((WIDTH, HEIGHT), size=(2, 2)).tolist()
        cv2.line(picture, first, last, (0.1, 0.1, 0.2), int(random.integers(1, 3)), cv2.LINE_8)
    soft = cv2.GaussianBlur(picture, (0, 0), 0.5)
    return np.asarray(np.clip(soft, 0.05, 0.95), np.float32)


PAINTINGS = {"flat": flat_painting, "textured": textured_painting}


@pytest.mark.parametrize(
    ("kind", "strokes", "pixels"),
    [
        ("flat", "spared", 0.99),
        ("flat", "counted", 0.99),
        ("textured", "counted", 0.99),
        # A black pixel beside a black outline is a part of it.
        ("textured", "spared", 0.98),
    ],
)
def test_of_what_was_planted_almost_all_is_found(
    kind: str, strokes: Strokes, pixels: float
) -> None:
    recall = Recall()
    for seed in range(5):
        damaged = plant(PAINTINGS[kind](seed), photo(seed), random=np.random.default_rng(seed))
        recall.add(damaged, photo(seed), strokes=strokes)
    assert recall.planted["pixels"] > 500
    assert recall.planted["blobs"] > 10
    assert recall.planted["not_finite"] == 100
    assert recall.share("pixels") >= pixels
    assert recall.share("blobs") == 1
    assert recall.share("not_finite") == 1


@pytest.mark.parametrize("kind", PAINTINGS)
def test_a_clean_painting_gives_no_alarm(kind: str) -> None:
    tally = Tally()
    for seed in range(5):
        tally.add(PAINTINGS[kind](seed), photo(seed))
    assert tally.frames == 5
    assert tally.dead == 0
    if kind == "textured":
        assert tally.by_definition > 500


def test_what_is_planted_is_dead_by_definition_and_apart() -> None:
    painted, source = flat_painting(1), photo(1)
    damaged = plant(painted, source, random=np.random.default_rng(1), blobs=2, not_finite=5)
    changed = (damaged.picture != painted).any(2)
    planted = damaged.pixels | damaged.not_finite | np.logical_or.reduce(damaged.blobs)
    np.testing.assert_array_equal(changed, planted)
    whole = np.where(damaged.not_finite[..., np.newaxis], painted, damaged.picture)
    assert dead_pixels(whole, source)[damaged.pixels].all()
    labels = cv2.connectedComponents(planted.astype(np.uint8))[0] - 1
    assert labels == np.count_nonzero(damaged.pixels) + 5 + len(damaged.blobs)


def test_the_tally_adds_up_frames() -> None:
    picture, source = np.full((40, 40, 3), 0.5, np.float32), np.full((40, 40, 3), 0.5, np.float32)
    picture[3, 3], picture[10:15, 10:15], picture[30, 5:25] = 0, 1, 0
    picture[35, 35] = np.nan
    tally = Tally()
    for _ in range(2):
        tally.add(picture, source, allowed_share=0.02)
    assert (tally.frames, tally.pixels, tally.runs) == (2, 2, 40)
    assert (tally.blobs, tally.blob_pixels, tally.not_finite) == (4, 90, 2)
    assert tally.dead == 2 + 40 + 4 + 2
