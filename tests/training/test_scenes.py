"""Drawn scenes repeat, differ, and have the statistics that they promise."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.training.scenes import SIDE, draw_scene, write_scenes


def scene(number: int) -> np.ndarray:
    return draw_scene(np.random.default_rng(number))


def test_the_same_numbers_give_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_scenes(tmp_path / name, 2, seed=3)
    files = [sorted((tmp_path / name).iterdir()) for name in ("a", "b")]
    assert [path.name for path in files[0]] == ["scene-000.png", "scene-001.png"]
    assert [p.read_bytes() for p in files[0]] == [p.read_bytes() for p in files[1]]
    assert files[0][0].read_bytes() != files[0][1].read_bytes()


def test_a_file_is_the_scene_in_its_colors(tmp_path: Path) -> None:
    write_scenes(tmp_path, 1, seed=3)
    stored = cv2.imread(str(tmp_path / "scene-000.png"), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(stored, draw_scene(np.random.default_rng((3, 0))))


def test_scenes_use_the_range_of_brightness() -> None:
    scenes = np.stack([scene(number) for number in range(4)])
    assert scenes.shape == (4, SIDE, SIDE, 3)
    low, high = np.percentile(scenes, (5, 95))
    assert low < 50
    assert high > 205


@pytest.mark.parametrize("number", range(3))
def test_amplitudes_fall_with_the_frequency_as_in_natural_images(number: int) -> None:
    """Field 1987: amplitudes fall about as 1/f, so power as 1/f²."""
    gray = scene(number).mean(axis=2)
    window = np.hanning(SIDE)[:, None] * np.hanning(SIDE)
    power = np.abs(np.fft.fft2((gray - gray.mean()) * window)) ** 2
    frequencies = np.fft.fftfreq(SIDE)
    radius = np.hypot(frequencies[:, None], frequencies)
    bands = np.geomspace(4 / SIDE, 0.4, 9)
    means = [power[(radius >= low) & (radius < high)].mean() for low, high in pairwise(bands)]
    slope, _ = np.polyfit(np.log(np.sqrt(bands[:-1] * bands[1:])), np.log(means), 1)
    assert -3.2 < slope < -1.6


def test_there_are_flat_areas_and_sharp_edges() -> None:
    steps = np.abs(np.diff(scene(1).mean(axis=2), axis=1))
    assert (steps < 2).mean() > 0.2
    assert (steps > 30).mean() > 0.01
