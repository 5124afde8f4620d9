"""The curves: their steps, and warping error against SSIM as an image, a panel a style."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.errors import OutputError

from .tables import Row

Canvas = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

_WIDTH, _HEIGHT = 640, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 40, 50
# BGR; as many as there are methods and presets, then from the beginning.
_COLORS: tuple[Color, ...] = (
    (40, 40, 40),
    (60, 160, 60),
    (30, 130, 230),
    (200, 80, 160),
    (150, 150, 40),
    (40, 40, 220),
    (230, 60, 40),
)
_INK: Color = (70, 70, 70)


@dataclass(frozen=True, slots=True)
class Steps:
    """How one option of one preset moves the scores from point to point on one clip."""

    style: str
    clip: str
    preset: str
    option: str
    """``strength``, or ``smoothing at`` a strength."""
    points: int
    error_step: float
    """Largest relative change of E_warp; below 0 it falls at every step."""
    sharpness_step: float
    """Largest change of the sharpness, absolute."""

    def __str__(self) -> str:
        return (
            f"{self.style} on {self.clip}: {self.preset}, {self.option}, {self.points} points:"
            f" E_warp changes by at most {self.error_step:+.2%} a step, sharpness by"
            f" {self.sharpness_step:.3f}"
        )


def steps_of(rows: Sequence[Row]) -> Iterator[Steps]:
    """Give the steps of each curve of ours, among rows of one clip in one style."""
    curves: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.ours and row.smoothing == 0:
            curves.setdefault((row.method, "strength"), []).append(row)
        if row.ours:
            curves.setdefault((row.method, f"smoothing at {row.parameter:g}"), []).append(row)
    for (preset, option), points in curves.items():
        if len(points) > 1:
            points.sort(key=lambda row: (row.parameter or 0, row.smoothing or 0))
            error, sharp = (
                [one.scores[name] for one in points] for name in ("e_warp", "sharpness")
            )
            yield Steps(
                points[0].style,
                points[0].clip,
                preset,
                option,
                len(points),
                max(b / a - 1 for a, b in pairwise(error)),
                max(abs(b - a) for a, b in pairwise(sharp)),
            )


def draw(path: Path, styles: Mapping[str, Sequence[Row]]) -> None:
    """Write a PNG with a panel for each style, whose rows are means over clips.

    To the right is less like the per-frame baseline, down is less flicker. Raises OutputError.
    """
    methods = dict.fromkeys(row.method for rows in styles.values() for row in rows)
    colors = {method: _COLORS[number % len(_COLORS)] for number, method in enumerate(methods)}
    image = np.hstack([_panel(style, rows, colors) for style, rows in styles.items()])
    written, data = cv2.imencode(".png", image)
    try:
        path.write_bytes(data.tobytes() if written else b"")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def _panel(style: str, rows: Sequence[Row], colors: Mapping[str, Color]) -> Canvas:
    canvas = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    points = {row.name: (1 - row.scores["ssim"], row.scores["e_warp"]) for row in rows}
    ends = (
        1.05 * max(across for across, _ in points.values()) or 1.0,
        1.05 * max(up for _, up in points.values()) or 1.0,
    )
    _axes(canvas, style, ends)
    for number, (method, color) in enumerate(colors.items()):
        curve = [_position(points[row.name], ends) for row in rows if row.method == method]
        _curve(canvas, curve, color)
        _write(canvas, method, (_WIDTH - 190, _TOP + 18 * number), color)
    return canvas


def _axes(canvas: Canvas, style: str, ends: tuple[float, float]) -> None:
    corner, top = (_LEFT, _HEIGHT - _BOTTOM), (_LEFT, _TOP)
    cv2.line(canvas, corner, top, _INK, 1, cv2.LINE_AA)
    cv2.line(canvas, corner, (_WIDTH - _RIGHT, _HEIGHT - _BOTTOM), _INK, 1, cv2.LINE_AA)
    _write(canvas, f"{style}: E_warp against 1 - SSIM to per frame", (_LEFT, _TOP - 16), _INK)
    for part in (0.25, 0.5, 0.75, 1.0):
        x, y = _position((part * ends[0], part * ends[1]), ends)
        _write(canvas, f"{part * ends[0]:.3f}", (x - 18, _HEIGHT - _BOTTOM + 20), _INK)
        _write(canvas, f"{part * ends[1]:.4f}", (16, y + 4), _INK)


def _curve(canvas: Canvas, curve: Sequence[tuple[int, int]], color: Color) -> None:
    cv2.polylines(canvas, [np.array(curve, np.int32)], False, color, 2, cv2.LINE_AA)
    for point in curve:
        cv2.circle(canvas, point, 4, color, -1, cv2.LINE_AA)


def _position(point: tuple[float, float], ends: tuple[float, float]) -> tuple[int, int]:
    across = _LEFT + point[0] / ends[0] * (_WIDTH - _LEFT - _RIGHT)
    up = point[1] / ends[1] * (_HEIGHT - _TOP - _BOTTOM)
    return round(across), round(_HEIGHT - _BOTTOM - up)


def _write(canvas: Canvas, text: str, position: tuple[int, int], color: Color) -> None:
    cv2.putText(canvas, text, position, cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, 1, cv2.LINE_AA)
