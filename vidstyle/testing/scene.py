"""Surfaces that move in known ways: images whose flow and occlusion follow from geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from vidstyle.core import HostArray

Doubles: TypeAlias = npt.NDArray[np.float64]

MIXED = -1
"""Owner of a pixel in which two surfaces mix."""
# Less of another surface than this in a pixel cannot be distinguished from rounding to 8 bits.
_PURE = 0.01


class Stylize(Protocol):
    """What a surface shows at its own coordinates."""

    def __call__(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        """Color (H, W, 3) RGB in [0, 1] and opacity (H, W) in [0, 1] at points (H, W)."""
        ...


@dataclass(frozen=True, slots=True)
class Surface:
    """A flat thing that moves rigidly, turns or grows."""

    stylize: Stylize
    poses: tuple[Doubles, ...]
    """For each frame the 3x3 affine matrix from frame pixels (x, y, 1) to surface coordinates."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Surfaces from the back to the front; the first is opaque everywhere."""

    surfaces: tuple[Surface, ...]
    width: int
    height: int

    @property
    def frames(self) -> int:
        return len(self.surfaces[0].poses)

    def image(self, time: int) -> HostArray:
        """Draw a frame.

        Args:
            time: Its number.

        Returns:
            (H, W, 3) float32 RGB in [0, 1].
        """
        x, y = self._grid()
        image: Doubles = np.zeros((self.height, self.width, 3))
        for surface in self.surfaces:
            color, opacity = surface.stylize(*_moved(surface.poses[time], x, y))
            image += opacity[..., np.newaxis] * (color - image)
        return np.clip(image, 0, 1).astype(np.float32)

    def owner(self, time: int) -> npt.NDArray[np.int64]:
        """Find the surface that each pixel shows.

        Args:
            time: The frame's number.

        Returns:
            (H, W): the surface's number, ``MIXED`` where it is two.
        """
        owner, opacity = self._front(time)
        return np.where((opacity > _PURE) & (opacity < 1 - _PURE), MIXED, owner)

    def motion(self, time: int, towards: int) -> tuple[HostArray, HostArray]:
        """Compute the exact flow and visibility from one frame to another.

        Visibility is 1 where the pixel shows one surface alone and all pixels around its target (up
        to four) show the same one: there, and only there, warping is legitimate. On a pixel that
        mixes two surfaces flow is that of the one it shows more of.

        Args:
            time: Number of the frame on whose grid they lie.
            towards: Number of the other frame.

        Returns:
            Flow (H, W, 2) in pixels, and visibility (H, W) in [0, 1].
        """
        x, y = self._grid()
        front, _ = self._front(time)
        target_x, target_y = x.copy(), y.copy()
        for number, surface in enumerate(self.surfaces):
            there = np.linalg.inv(surface.poses[towards]) @ surface.poses[time]
            moved_x, moved_y = _moved(there, x, y)
            target_x = np.where(front == number, moved_x, target_x)
            target_y = np.where(front == number, moved_y, target_y)
        flow = np.stack([target_x - x, target_y - y], axis=-1)
        # Without this a target on a pixel's center would fall beside it by rounding.
        target_x, target_y = np.round(target_x, 6), np.round(target_y, 6)
        seen = _all_around(self.owner(towards), self.owner(time), target_x, target_y)
        return flow.astype(np.float32), seen.astype(np.float32)

    def _front(self, time: int) -> tuple[npt.NDArray[np.int64], Doubles]:
        """The surface that each pixel shows most of, and the opacity that decided last."""
        x, y = self._grid()
        owner = np.zeros((self.height, self.width), np.int64)
        mixed = np.zeros((self.height, self.width))
        for number, surface in enumerate(self.surfaces[1:], 1):
            _, opacity = surface.stylize(*_moved(surface.poses[time], x, y))
            owner = np.where(opacity >= 0.5, number, owner)
            mixed = np.where(opacity > _PURE, opacity, mixed)
        return owner, mixed

    def _grid(self) -> tuple[Doubles, Doubles]:
        y, x = np.mgrid[: self.height, : self.width].astype(np.float64)
        return x, y


def moves(steps: Sequence[tuple[float, float]]) -> tuple[Doubles, ...]:
    """Give the poses of a surface that lies at some places.

    Args:
        steps: Right and down in pixels, frame by frame.

    Returns:
        (3, 3) each, from the frame's points to the surface's.
    """
    return tuple(np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]], np.float64) for x, y in steps)


def similarity(
    scale: float, turn: float, center: tuple[float, float], anchor: tuple[float, float]
) -> Doubles:
    """Give the pose that shows a point of the surface at a point of the frame.

    Args:
        scale: Of the surface's size.
        turn: Clockwise, in radians.
        center: The frame's point, in pixels.
        anchor: The surface's point, in pixels.

    Returns:
        (3, 3), from the frame's points to the surface's.
    """
    cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
    linear = np.array([[cos, sin], [-sin, cos]])
    pose = np.eye(3)
    pose[:2, :2] = linear
    pose[:2, 2] = np.asarray(anchor) - linear @ np.asarray(center)
    return pose


def _moved(pose: Doubles, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
    return (
        pose[0, 0] * x + pose[0, 1] * y + pose[0, 2],
        pose[1, 0] * x + pose[1, 1] * y + pose[1, 2],
    )


def _all_around(
    there: npt.NDArray[np.int64], here: npt.NDArray[np.int64], x: Doubles, y: Doubles
) -> npt.NDArray[np.bool_]:
    """Where the pixels around (x, y) are all in the image and belong to who is here."""
    height, width = there.shape
    seen: npt.NDArray[np.bool_] = here != MIXED
    seen &= (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    for column in (np.floor(x), np.ceil(x)):
        for row in (np.floor(y), np.ceil(y)):
            columns = np.clip(column, 0, width - 1).astype(np.intp)
            rows = np.clip(row, 0, height - 1).astype(np.intp)
            seen &= there[rows, columns] == here
    return seen
