"""Flat images in known motion, one before the other: flow and mask follow from geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.visibility import BoolMask
from vidstyle.imaging.warp import warp_image
from vidstyle.training.pairs import Pair, mask_inside, pair_of

Doubles: TypeAlias = npt.NDArray[np.float64]

# Of the motion: the previous image and the current one. Both are half of it away from the
# texture and sampled from it once, so that neither is the sharper one.
_SHARES = (-0.5, 0.5)
# Share of another surface in a pixel that makes no difference.
_MIXED = 0.01
# Difference of two flows, in pixels, that hides nothing.
_ALIKE = 1e-3


@dataclass(frozen=True, slots=True)
class PlaneMotion:
    """How a flat surface moves from the previous image to the current one."""

    shift: tuple[float, float] = (0.0, 0.0)
    """Pixels to the right and down."""
    turn: float = 0.0
    """Radians, clockwise."""
    zoom: float = 0.0
    """Natural logarithm of the factor by which it grows."""
    tilt: tuple[float, float] = (0.0, 0.0)
    """How much its size shrinks a pixel to the right and down, as a share: perspective."""

    def part(self, share: float) -> Doubles:
        """Return the matrix of a part of the motion, which turns and scales around the origin.

        Args:
            share: The part, from -0.5 (back to the previous image) to 0.5 (on to the current one).

        Returns:
            (3, 3); it moves points (x, y, 1).
        """
        growth, angle = math.exp(share * self.zoom), share * self.turn
        cos, sin = growth * math.cos(angle), growth * math.sin(angle)
        right, down = (share * length for length in self.shift)
        across, along = (share * slope for slope in self.tilt)
        return np.array([[cos, -sin, right], [sin, cos, down], [across, along, 1]], np.float64)


@dataclass(frozen=True, slots=True)
class Box:
    """Part of an image; false where it is empty."""

    left: int
    top: int
    width: int
    height: int

    @property
    def cut(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )

    def __bool__(self) -> bool:
        return self.width > 0 and self.height > 0


@dataclass(frozen=True, slots=True, eq=False)
class MovingPlane:
    """A flat texture in motion. Beyond its edge lies its mirror image, where it has no shape."""

    texture: HostArray
    """(h, w, 3) RGB in [0, 1]."""
    center: tuple[float, float]
    """Point (x, y) of the image where the texture's middle is half-way through the motion."""
    motion: PlaneMotion
    shape: HostArray | None = None
    """How opaque it is, (h, w) in [0, 1]; None for everywhere."""

    def pose(self, share: float) -> Doubles:
        """Return the matrix from the texture's pixels to the image's.

        Args:
            share: Of the motion: -0.5 for the previous image, 0.5 for the current one.

        Returns:
            (3, 3), for points (x, y, 1).
        """
        height, width = self.texture.shape[:2]
        middle = ((1 - width) / 2, (1 - height) / 2)
        return _shifted(*self.center) @ self.motion.part(share) @ _shifted(*middle)

    def draw_part(self, share: float, box: Box) -> HostArray:
        """Draw the texture in a part of the image.

        Args:
            share: As in ``pose``.
            box: The part.

        Returns:
            (h, w, 3) RGB in [0, 1], of the box's size.
        """
        border = cv2.BORDER_REFLECT_101
        return _posed(self.texture, self.pose(share), box, cv2.INTER_CUBIC, border)

    def coverage(self, share: float, box: Box) -> HostArray:
        """Compute how opaque the plane is in each pixel of a part of the image.

        Args:
            share: As in ``pose``.
            box: The part.

        Returns:
            (h, w) in [0, 1], of the box's size.
        """
        if self.shape is None:
            return np.ones((box.height, box.width), np.float32)
        border = cv2.BORDER_CONSTANT
        return _posed(self.shape, self.pose(share), box, cv2.INTER_LINEAR, border)

    def flow(self, box: Box) -> HostArray:
        """Compute the exact flow from the current image's pixels to the previous image.

        Args:
            box: Part of the current image.

        Returns:
            (h, w, 2) in pixels, of the box's size.
        """
        flow = np.zeros((box.height, box.width, 2), np.float32)
        if self.motion == PlaneMotion():
            return flow
        back = self.pose(-0.5) @ np.linalg.inv(self.pose(0.5))
        x = np.arange(box.left, box.left + box.width, dtype=np.float64)
        y = np.arange(box.top, box.top + box.height, dtype=np.float64)[:, np.newaxis]
        # Sums of a row and a column each.
        column, row, depth = (line[0] * x + (line[1] * y + line[2]) for line in back)
        flow[..., 0] = column / depth - x
        flow[..., 1] = row / depth - y
        return flow

    def box(self, side: int) -> Box:
        """Find the part of an image in which the shape may be seen, in either image.

        Args:
            side: Of the image, in pixels.

        Returns:
            The part; empty where nothing of the shape is seen.
        """
        if self.shape is None:
            return Box(0, 0, side, side)
        height, width = self.shape.shape
        corners = np.array([[-1, width, -1, width], [-1, -1, height, height], [1, 1, 1, 1]])
        seen = np.hstack([self.pose(share) @ corners for share in _SHARES])
        seen = seen[:2] / seen[2]
        left, top = np.clip(np.floor(seen.min(1)), 0, side).astype(int).tolist()
        right, bottom = np.clip(np.ceil(seen.max(1)) + 1, 0, side).astype(int).tolist()
        return Box(left, top, right - left, bottom - top)


def compose(background: MovingPlane, foreground: MovingPlane | None, side: int) -> Pair:
    """Draw the two images of a surface, and of another one before it.

    ``visible`` is 1 where a current pixel shows one surface only and the pixels around its target,
    up to four, show only that one: there, and only there, warping is legitimate. Where both
    surfaces move alike, nothing is hidden. A pixel that mixes both has the flow of the surface that
    it shows more of.

    Args:
        background: Fills the image.
        foreground: Lies before it; None for the background alone.
        side: Of the images, in pixels.

    Returns:
        One pair of (side, side) images.
    """
    whole = Box(0, 0, side, side)
    flow = background.flow(whole)
    before, now = (background.draw_part(share, whole) for share in _SHARES)
    box = foreground.box(side) if foreground else None
    if not foreground or not box:
        return pair_of(before, now, flow, mask_inside(flow))
    covered_before = _put(foreground, _SHARES[0], before, box)
    covered_now = _put(foreground, _SHARES[1], now, box)
    own = foreground.flow(box)
    if np.abs(own - flow[box.cut]).max() < _ALIKE:
        return pair_of(before, now, flow, mask_inside(flow))
    flow[box.cut] = np.where(covered_now[box.cut][..., np.newaxis] >= 0.5, own, flow[box.cut])
    single = _shows_one(covered_before, covered_now, flow)
    return pair_of(before, now, flow, single * mask_inside(flow))


def _put(front: MovingPlane, share: float, image: HostArray, box: Box) -> HostArray:
    """Draw ``front`` over an image of ours; how much of each pixel it covers, (H, W)."""
    opaque = front.coverage(share, box)
    behind = image[box.cut]
    behind += opaque[..., np.newaxis] * (front.draw_part(share, box) - behind)
    covered = np.zeros(image.shape[:2], np.float32)
    covered[box.cut] = opaque
    return covered


def _shows_one(before: HostArray, now: HostArray, flow: HostArray) -> BoolMask:
    """Where a pixel and its target show one surface only, by what the foreground covers."""
    there = warp_image(before, flow)
    single: BoolMask = np.maximum(now, there) <= _MIXED
    single |= np.minimum(now, there) >= 1 - _MIXED
    return single


def _posed(image: HostArray, pose: Doubles, box: Box, interpolation: int, border: int) -> HostArray:
    pose = _shifted(-box.left, -box.top) @ pose
    size = (box.width, box.height)
    posed = cv2.warpPerspective(image, pose, size, flags=interpolation, borderMode=border)
    # Cubic interpolation overshoots.
    return np.asarray(np.clip(posed, 0, 1, out=posed), np.float32)


def _shifted(right: float, down: float) -> Doubles:
    return np.array([[1, 0, right], [0, 1, down], [0, 0, 1]], np.float64)
