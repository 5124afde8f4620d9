"""The detector finds what was planted, on flat and on textured images."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.evaluation.dead_pixels import DeadPixelCount, DetectionRecall, plant
from vidstyle.imaging.dead_pixels import Strokes, dead_pixels

HEIGHT, WIDTH = 180, 240


def photo(seed: int) -> HostArray:
    """Soft shapes with an edge or two."""
    random = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(random.random((HEIGHT, WIDTH, 3), np.float32), (0, 0), 8) - 0.5
    image = 0.5 + soft * (0.15 / soft.std())
    image[:, WIDTH // 2 :] *= 0.7
    return np.asarray(np.clip(image, 0.1, 0.9), np.float32)


def flat_style_image(seed: int) -> HostArray:
    colors = np.random.default_rng(seed).uniform(0.15, 0.85, (4, 5, 3)).astype(np.float32)
    large = cv2.resize(colors, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), 0.7), np.float32)


def textured_style_image(seed: int) -> HostArray:
    """Brush marks of a few pixels, and dark outlines of one or two."""
    random = np.random.default_rng(seed)
    marks = cv2.GaussianBlur(random.random((HEIGHT, WIDTH, 3), np.float32), (0, 0), 1.5) - 0.5
    image = flat_style_image(seed) + marks * (0.06 / marks.std())
    for _ in range(12):
        first, last = random.integers((WIDTH, HEIGHT), size=(2, 2)).tolist()
        cv2.line(image, first, last, (0.1, 0.1, 0.2), int(random.integers(1, 3)), cv2.LINE_8)
    soft = cv2.GaussianBlur(image, (0, 0), 0.5)
    return np.asarray(np.clip(soft, 0.05, 0.95), np.float32)


STYLE_IMAGES = {"flat": flat_style_image, "textured": textured_style_image}


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
    recall = DetectionRecall()
    for seed in range(5):
        damaged = plant(STYLE_IMAGES[kind](seed), photo(seed), random=np.random.default_rng(seed))
        recall.add(damaged, photo(seed), strokes=strokes)
    assert recall.planted["pixels"] > 500
    assert recall.planted["blobs"] > 10
    assert recall.planted["not_finite"] == 100
    assert recall.recall("pixels") >= pixels
    assert recall.recall("blobs") == 1
    assert recall.recall("not_finite") == 1


@pytest.mark.parametrize("kind", STYLE_IMAGES)
def test_a_clean_image_gives_no_alarm(kind: str) -> None:
    tally = DeadPixelCount()
    for seed in range(5):
        tally.add(STYLE_IMAGES[kind](seed), photo(seed))
    assert tally.frames == 5
    assert tally.dead == 0
    if kind == "textured":
        assert tally.by_definition > 500


def test_what_is_planted_is_dead_by_definition_and_apart() -> None:
    stylized, source = flat_style_image(1), photo(1)
    damaged = plant(stylized, source, random=np.random.default_rng(1), blobs=2, not_finite=5)
    changed = (damaged.image != stylized).any(2)
    planted = damaged.pixels | damaged.not_finite | np.logical_or.reduce(damaged.blobs)
    np.testing.assert_array_equal(changed, planted)
    whole = np.where(damaged.not_finite[..., np.newaxis], stylized, damaged.image)
    assert dead_pixels(whole, source)[damaged.pixels].all()
    labels = cv2.connectedComponents(planted.astype(np.uint8))[0] - 1
    assert labels == np.count_nonzero(damaged.pixels) + 5 + len(damaged.blobs)


def test_the_tally_adds_up_frames() -> None:
    image, source = np.full((40, 40, 3), 0.5, np.float32), np.full((40, 40, 3), 0.5, np.float32)
    image[3, 3], image[10:15, 10:15], image[30, 5:25] = 0, 1, 0
    image[35, 35] = np.nan
    tally = DeadPixelCount()
    for _ in range(2):
        tally.add(image, source, allowed_fraction=0.02)
    assert (tally.frames, tally.pixels, tally.runs) == (2, 2, 40)
    assert (tally.blobs, tally.blob_pixels, tally.not_finite) == (4, 90, 2)
    assert tally.dead == 2 + 40 + 4 + 2
