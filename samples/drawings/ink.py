"""Strokes of a pen: lines with a width of their own at each point, on a canvas of ink."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .fields import Field, reduce, wiggle
from .streamlines import Line

_FINE = 3
# Cells of the canvas in a pixel, each way.
_SHIFT = 4
# Bits after the point in the coordinates that OpenCV draws with.


class InkCanvas:
    """How much ink lies where; strokes darken what they cross."""

    def __init__(self, height: int, width: int) -> None:
        self._light = np.full((height * _FINE, width * _FINE), 255, np.uint8)

    def stroke(self, line: Line, widths: npt.NDArray[np.float32], ink: float) -> None:
        """One stroke along ``line``, ``widths`` pixels wide, with ``ink`` in [0, 1]."""
        polygon = np.rint((outline(line, widths) + 0.5) * _FINE * 2**_SHIFT).astype(np.int32)
        shift = 2**_SHIFT
        left, top = np.maximum(polygon.min(axis=0) // shift - 1, 0)
        right, bottom = polygon.max(axis=0) // shift + 2
        part = self._light[top:bottom, left:right]
        if part.size == 0:
            return
        covered = np.zeros(part.shape, np.uint8)
        cv2.fillPoly(covered, [polygon - (left * shift, top * shift)], 1, shift=_SHIFT)
        part[covered > 0] = (part[covered > 0] * (1 - ink)).astype(np.uint8)

    def light(self) -> Field:
        """(H, W) in [0, 1]: 1 is bare paper, 0 is covered."""
        return np.asarray(reduce(self._light, _FINE) / 255, np.float32)


def outline(line: Line, widths: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The polygon around a line; ``widths`` in pixels, one a point."""
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * widths[:, np.newaxis] / 2
    return np.concatenate([line + across, (line - across)[::-1]]).astype(np.float32)


def pressed(random: np.random.Generator, points: int, width: float) -> npt.NDArray[np.float32]:
    """Widths of a stroke that is set down, pressed and lifted, never evenly."""
    share = np.linspace(0, 1, points, dtype=np.float32)
    peak = random.uniform(0.25, 0.5)
    swell = np.where(share < peak, share / peak, (1 - share) / (1 - peak)) ** 0.55
    uneven = 1 + 0.18 * wiggle(random, points, 8)
    return np.asarray(width * (0.22 + 0.78 * swell) * uneven, np.float32)


def wobbled(random: np.random.Generator, line: Line, amount: float) -> Line:
    """The line as a hand draws it: off by about ``amount`` pixels, smoothly."""
    length = len(line)
    off = np.stack([wiggle(random, length, 14), wiggle(random, length, 14)], axis=1)
    return np.asarray(line + amount * off, np.float32)
