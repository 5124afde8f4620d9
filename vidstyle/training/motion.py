"""Photos that are moved by a camera and by themselves: pairs whose flow and mask are exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.training.composition import MovingPlane, PlaneMotion, compose
from vidstyle.training.pairs import Pair, join_pairs
from vidstyle.training.photos import PhotoCrops

# Shares of the pairs, added up, in which nothing moves, and in which the camera does not.
_STILL, _STILL_CAMERA = 0.15, 0.35
# Share of the pairs that have one.
_FOREGROUND = 0.8
# Pixels that most pairs move by at most, that some do, and their share.
_SHIFT, _FAR_SHIFT, _FAR = 8.0, 24.0, 0.1
# Largest angle, change of the logarithm of the size, and change of the size across the image.
_TURN, _ZOOM, _TILT = math.radians(2), 0.03, 0.02
# Of the foreground where it is widest, in sides of the image.
_RADIUS = (0.12, 0.32)
# Waves around its outline, and the height of a wave of length 1, in radii.
_LOBES, _LOBE = (2, 3, 4, 5), 0.7


class MovedPhotos:
    """Photos under random motion, and pieces of other photos that move before them.

    ``PhotoCrops`` crops, flips, scales and recolors the photos. The motion is a shift of mostly
    under 8 and at most 24 pixels or a 4th of ``side``, a small turn, zoom and tilt, or exactly
    none.

    Args:
        paths: Files.
        side: Of the images, in pixels.
        generator: Decides what is drawn.

    References:
        The synthetic motion of Wang et al. 2020, Consistent Video Style Transfer via Relaxation and
        Regularization (ReReVST).
    """

    def __init__(self, paths: Sequence[Path], side: int, generator: np.random.Generator) -> None:
        self._side = side
        self._generator = generator
        self._reach = min(_FAR_SHIFT, side / 4)
        # Wide enough that no motion shows what lies beyond the edge.
        margin = math.ceil(self._reach / 2 + (_TURN + _ZOOM + _TILT) * side / 2) + 2
        # A file that is bad for one is bad for both, and is reported once.
        bad: set[Path] = set()
        around = math.ceil(2 * _RADIUS[1] * side) + 4
        self._backgrounds = PhotoCrops(paths, side + 2 * margin, generator, unreadable=bad)
        self._foregrounds = PhotoCrops(paths, around, generator, unreadable=bad)

    def draw(self, count: int) -> Pair:
        """Draw pairs. Unreadable photos are skipped, each with a line in the log.

        Args:
            count: How many, at least 1.

        Returns:
            So many pairs of (side, side) images.

        Raises:
            InputError: No photo is left.
        """
        return join_pairs([self._pair() for _ in range(count)])

    def _pair(self) -> Pair:
        kind = self._generator.random()
        camera = PlaneMotion() if kind < _STILL_CAMERA else self._motion()
        texture = _texture(self._backgrounds)
        background = MovingPlane(texture, self._around(0.5), camera)
        if self._generator.random() >= _FOREGROUND:
            return compose(background, None, self._side)
        own = PlaneMotion() if kind < _STILL else self._motion()
        return compose(background, self._foreground(own), self._side)

    def _foreground(self, motion: PlaneMotion) -> MovingPlane:
        radius = self._generator.uniform(*_RADIUS) * self._side
        texture = _texture(self._foregrounds)
        shape = blob(len(texture), radius, self._generator)
        return MovingPlane(texture, self._around((self._side - 1) / 2), motion, shape)

    def _around(self, reach: float) -> tuple[float, float]:
        """A point near the middle, and never on whole pixels, where images are sharper."""
        x, y = (self._side - 1) / 2 + self._generator.uniform(-reach, reach, 2)
        return float(x), float(y)

    def _motion(self) -> PlaneMotion:
        far = self._generator.random() < _FAR
        # Squared, since most motion in clips is small.
        length = self._generator.random() ** 2 * min(_FAR_SHIFT if far else _SHIFT, self._reach)
        angle = self._generator.uniform(0, 2 * math.pi)
        turn, zoom, across, along = self._generator.uniform(-1, 1, 4)
        return PlaneMotion(
            (length * math.cos(angle), length * math.sin(angle)),
            _TURN * turn,
            _ZOOM * zoom,
            (_TILT * across / self._side, _TILT * along / self._side),
        )


def blob(side: int, radius: float, generator: np.random.Generator) -> HostArray:
    """Draw a random smooth shape with a soft edge in the middle of a square.

    Args:
        side: Of the square, in pixels.
        radius: Where the shape is widest, in pixels.
        generator: Decides its outline.

    Returns:
        (side, side): 1 inside, 0 outside.
    """
    angles = np.linspace(0, 2 * math.pi, 128, endpoint=False)
    outline = np.ones_like(angles)
    for lobes in _LOBES:
        height = generator.uniform(0, _LOBE / lobes)
        outline += height * np.cos(lobes * angles + generator.uniform(0, 2 * math.pi))
    outline *= radius / outline.max()
    points = (side - 1) / 2 + outline * np.stack([np.cos(angles), np.sin(angles)])
    shape = np.zeros((side, side), np.uint8)
    corners = np.rint(points.T * 256).astype(np.int32)
    cv2.fillPoly(shape, [corners], 255, lineType=cv2.LINE_AA, shift=8)
    return np.multiply(shape, np.float32(1 / 255), dtype=np.float32)


def _texture(crops: PhotoCrops) -> HostArray:
    texture: HostArray = crops.draw(1)[0].permute(1, 2, 0).numpy()
    return np.ascontiguousarray(texture)
