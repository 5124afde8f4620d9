"""Strokes cover what their widths say, and darken what they cross."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from samples.drawings.ink import InkCanvas, outline, pressed, wobbled
from samples.drawings.streamlines import Line


def straight(y: float, start: float = 10, end: float = 90) -> Line:
    x = np.arange(start, end + 1, 2, dtype=np.float32)
    return np.stack([x, np.full_like(x, y)], axis=1)


def even(line: Line, width: float) -> np.ndarray:
    return np.full(len(line), width, np.float32)


def test_the_outline_holds_length_times_width() -> None:
    line = straight(50)
    polygon = outline(line, even(line, 6))
    assert cv2.contourArea(polygon) == pytest.approx(80 * 6, rel=1e-4)


def test_a_stroke_takes_away_as_much_light_as_it_has_ink_and_area() -> None:
    canvas = InkCanvas(100, 100)
    line = straight(50)
    canvas.stroke(line, even(line, 6), 0.8)
    light = canvas.light()
    assert light[50, 50] == pytest.approx(0.2, abs=0.01)
    assert (1 - light).sum() == pytest.approx(0.8 * 80 * 6, rel=0.08)
    assert light[:45].min() == 1


def test_strokes_darken_where_they_cross() -> None:
    canvas = InkCanvas(100, 100)
    line = straight(50)
    canvas.stroke(line, even(line, 8), 0.5)
    canvas.stroke(line[:, ::-1], even(line, 8), 0.5)
    light = canvas.light()
    assert light[50, 20] == pytest.approx(0.5, abs=0.01)
    assert light[50, 50] == pytest.approx(0.25, abs=0.01)


def test_a_stroke_may_leave_the_canvas() -> None:
    canvas = InkCanvas(60, 60)
    for line in (straight(5, -40, 40), straight(30, 50, 90), straight(59), straight(200)):
        canvas.stroke(line, even(line, 5), 1)
    light = canvas.light()
    assert light[5, 0] == light[5, 39] == light[30, 59] == light[59, 30] == 0
    assert light[45].min() == 1


def test_a_stroke_is_thin_at_both_ends() -> None:
    for seed in range(20):
        widths = pressed(np.random.default_rng(seed), 30, 4.0)
        assert max(widths[0], widths[-1]) < 0.5 * widths.max()
        assert 2.5 < widths.max() < 5.5


def test_a_hand_wobbles_by_about_the_amount() -> None:
    line = straight(50, 0, 400)
    off = np.abs(wobbled(np.random.default_rng(0), line, 1.5) - line)
    assert 0.3 < off.mean() < off.max() < 3
