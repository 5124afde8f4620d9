"""Deviation and slope against numpy over all frames at once, and against what was planted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.evaluation.still_areas import StillAreas

SHAPE = (30, 40)
EVERYWHERE = np.ones(SHAPE, np.bool_)


def noisy(frames: int, *, deviation: float, drift: float = 0.0, seed: int = 0) -> list[HostArray]:
    random = np.random.default_rng(seed)
    image = random.uniform(0.3, 0.6, (*SHAPE, 3))
    return [
        (image + drift * t + random.normal(0, deviation, image.shape)).astype(np.float32)
        for t in range(frames)
    ]


def measured(frames: list[HostArray], still: np.ndarray = EVERYWHERE) -> StillAreas:
    areas = StillAreas()
    for offset, frame in enumerate(frames):
        areas.add(frame, still if offset else None)
    return areas


def test_deviation_and_slope_equal_numpys() -> None:
    frames = noisy(9, deviation=0.02)
    still = np.zeros(SHAPE, np.bool_)
    still[5:20, 10:30] = True
    areas = measured(frames, still)
    whole = np.stack(frames).astype(np.float64)[:, still]
    assert areas.deviation == pytest.approx(np.sqrt(whole.var(axis=0, ddof=1).mean()), rel=1e-4)
    lumas = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[still].mean(dtype=float) for frame in frames]
    slope = np.polyfit(np.arange(9), lumas, 1)[0]
    assert areas.luma_slope == pytest.approx(255 * slope, rel=1e-3, abs=1e-6)


def test_planted_noise_and_drift_are_found() -> None:
    assert measured(noisy(60, deviation=0.01)).deviation == pytest.approx(0.01, rel=0.01)
    areas = measured(noisy(60, deviation=0, drift=0.1 / 255))
    assert areas.luma_slope == pytest.approx(0.1, rel=1e-3)


def test_what_moves_once_does_not_count_at_all() -> None:
    frames = noisy(6, deviation=0)
    for frame in frames[3:]:
        frame[:, 20:] += 0.3
    moved = EVERYWHERE.copy()
    moved[:, 20:] = False
    areas = StillAreas()
    for offset, frame in enumerate(frames):
        areas.add(frame, None if not offset else moved if offset == 3 else EVERYWHERE)
    assert areas.deviation == pytest.approx(0, abs=1e-6)
    assert areas.luma_slope == pytest.approx(0, abs=1e-5)


def test_shots_are_apart_and_the_longest_has_the_slope() -> None:
    areas = StillAreas()
    for drift, count in ((0.5, 4), (-0.2, 8), (0.5, 5)):
        for offset, frame in enumerate(noisy(count, deviation=0, drift=drift / 255)):
            areas.add(frame, EVERYWHERE if offset else None)
    assert areas.luma_slope == pytest.approx(-0.2, rel=1e-3)
    squares = [
        (drift / 255) ** 2 * count * (count**2 - 1) / 12
        for drift, count in ((0.5, 4), (-0.2, 8), (0.5, 5))
    ]
    assert areas.deviation == pytest.approx(np.sqrt(sum(squares) / (3 + 7 + 4)), rel=1e-3)


def test_without_still_pixels_there_is_nothing_to_say() -> None:
    areas = measured(noisy(4, deviation=0.1), ~EVERYWHERE)
    assert (areas.deviation, areas.luma_slope) == (None, None)
    single = measured(noisy(1, deviation=0.1))
    assert (single.deviation, single.luma_slope) == (None, None)
