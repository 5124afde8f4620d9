"""How many dead pixels and blobs stylized frames have, and how many planted ones are found."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.dead_pixels import BLOB_AREA, JUMP, Dead, Strokes, dead_pixels, find_dead
from vidstyle.imaging.visibility import BoolMask

# Pixels between planted things, so that no two share a 5x5 window.
_APART = 4
# Of planted blobs, in pixels, across and down.
_RADII = 4, 12
_KINDS = ("pixels", "blobs", "not_finite")
# For each thing that is to be planted; on a small or busy image fewer are.
_TRIES = 20


@dataclass(slots=True)
class DeadPixelCount:
    """What is dead in a number of frames, added up."""

    frames: int = 0
    pixels: int = 0
    by_definition: int = 0
    """Dead pixels with points of strokes counted: ``dead_pixels`` as it is."""
    runs: int = 0
    blobs: int = 0
    blob_pixels: int = 0
    not_finite: int = 0

    def add(self, stylized: HostArray, source: HostArray, *, allowed_fraction: float = 0.0) -> None:
        """Add a frame.

        Args:
            stylized: (H, W, 3) RGB in [0, 1], or not finite where it is broken.
            source: Of the same shape.
            allowed_fraction: As in ``find_dead``.
        """
        dead = find_dead(stylized, source, allowed_fraction=allowed_fraction)
        whole = np.where(dead.not_finite[..., np.newaxis], source, stylized)
        self.frames += 1
        self.pixels += int(np.count_nonzero(dead.pixels))
        self.by_definition += int(np.count_nonzero(dead_pixels(whole, source)))
        self.runs += int(np.count_nonzero(dead.runs))
        self.blobs += dead.blob_count
        self.blob_pixels += int(np.count_nonzero(dead.blobs))
        self.not_finite += dead.not_finite_count

    @property
    def dead(self) -> int:
        """Everything that should be 0; points of strokes do not count."""
        return self.pixels + self.runs + self.blobs + self.not_finite


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A stylized frame with known damage."""

    image: HostArray
    pixels: BoolMask
    """Single pixels of a color that they should not have."""
    blobs: tuple[BoolMask, ...]
    not_finite: BoolMask


@dataclass(slots=True)
class DetectionRecall:
    """How much of the planted damage is found, by kind."""

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))
    planted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))

    def add(self, planted: Planted, source: HostArray, *, strokes: Strokes = "spared") -> None:
        """Add a damaged frame.

        Args:
            planted: From ``plant``.
            source: (H, W, 3) RGB in [0, 1].
            strokes: As in ``find_dead``.
        """
        dead = find_dead(planted.image, source, strokes=strokes)
        for kind, (found, there) in _counts(planted, dead).items():
            self.found[kind] += found
            self.planted[kind] += there

    def recall(self, kind: str) -> float:
        """Give the fraction of the planted damage that was found.

        Args:
            kind: ``pixels``, ``blobs`` or ``not_finite``.

        Returns:
            In [0, 1]; 1 if none was planted.
        """
        return self.found[kind] / self.planted[kind] if self.planted[kind] else 1.0


def plant(
    stylized: HostArray,
    source: HostArray,
    *,
    random: np.random.Generator,
    pixels: int = 200,
    blobs: int = 4,
    not_finite: int = 20,
) -> Planted:
    """Damage a stylized frame at positions that lie apart, as much as there is room for.

    Pixels turn black, white, into a corner of the color cube, or wrap around. All of them are
    dead by definition: they leave the median by more than 0.25 where the source is smooth. Blobs
    are black or white ellipses where neither the image nor the source is black or white.

    Args:
        stylized: (H, W, 3) in [0, 1], without damage.
        source: Of the same shape.
        random: Decides what and where.
        pixels: How many to plant.
        blobs: How many to plant.
        not_finite: How many pixels to plant that are NaN or infinite.

    Returns:
        The damaged frame, and where its damage lies.
    """
    frame = _DamagedFrame(stylized, source, random)
    ellipses = tuple(mask for mask in (frame.blob() for _ in range(blobs)) if mask is not None)
    dots, holes = np.zeros((2, *stylized.shape[:2]), np.bool_)
    for _ in range(not_finite):
        holes |= frame.hole()
    for _ in range(pixels):
        dots |= frame.dot()
    return Planted(frame.image, dots, ellipses, holes)


class _DamagedFrame:
    """The frame while it is damaged."""

    def __init__(self, stylized: HostArray, source: HostArray, random: np.random.Generator) -> None:
        self.image = stylized.copy()
        self._random = random
        self._source = source
        self._median = cv2.medianBlur(np.ascontiguousarray(stylized), 5)
        stable = ~dead_pixels(source, np.zeros_like(source), jump=0.05)
        self._free, self._stable = np.ones_like(stable), stable

    def dot(self) -> BoolMask:
        """One dead pixel, or none."""
        for y, x in self._positions(self._free & self._stable):
            color = self._color(self.image[y, x])
            if np.abs(color - self._median[y, x]).max() > JUMP + 1e-3:
                return self._take(y, x, color)
        return np.zeros_like(self._free)

    def hole(self) -> BoolMask:
        """One pixel that is not finite, in one channel or in all, or none."""
        for y, x in self._positions(self._free):
            value = np.float32(self._random.choice([np.nan, np.inf, -np.inf]))
            lost = self._random.random(3) < self._random.choice([0.3, 1.0])
            lost[self._random.integers(3)] = True
            return self._take(y, x, np.where(lost, value, self.image[y, x]))
        return np.zeros_like(self._free)

    def blob(self) -> BoolMask | None:
        """One blob, or None."""
        for y, x in self._positions(self._free):
            mask = np.zeros(self._free.shape, np.uint8)
            axes = self._random.integers(*_RADII, size=2, endpoint=True)
            cv2.ellipse(mask, (x, y), [int(axis) for axis in axes], 0, 0, 360, 1, -1)
            shape = mask.astype(np.bool_)
            white = bool(self._random.integers(2))
            if self._fits(shape, white=white):
                self.image[shape] = self._random.uniform(0.985, 1) if white else 0.01
                self._free &= ~_grown(shape)
                return shape
        return None

    def _fits(self, shape: BoolMask, *, white: bool) -> bool:
        if np.count_nonzero(shape) < BLOB_AREA or not self._free[shape].all():
            return False
        around = _grown(shape)
        near = [
            (image[around] > 0.9 if white else image[around] < 0.1).all(1).any()
            for image in (self.image, self._source)
        ]
        return not any(near)

    def _color(self, old: HostArray) -> HostArray:
        kind = self._random.integers(4)
        if kind == 3:
            return np.asarray((old + 0.5) % 1, np.float32)
        corner = self._random.integers(0, 2, 3) if kind == 2 else np.full(3, kind)
        return np.asarray(corner, np.float32)

    def _take(self, y: int, x: int, color: HostArray) -> BoolMask:
        self.image[y, x] = color
        taken = np.zeros_like(self._free)
        taken[y, x] = True
        self._free[max(0, y - _APART) : y + _APART + 1, max(0, x - _APART) : x + _APART + 1] = False
        return taken

    def _positions(self, where: BoolMask) -> list[tuple[int, int]]:
        height, width = where.shape
        tries = zip(
            self._random.integers(height, size=_TRIES),
            self._random.integers(width, size=_TRIES),
            strict=True,
        )
        return [(int(y), int(x)) for y, x in tries if where[y, x]]


def _grown(mask: BoolMask) -> BoolMask:
    kernel = np.ones((2 * _APART + 1, 2 * _APART + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.view(np.uint8), kernel), np.bool_)


def _counts(planted: Planted, dead: Dead) -> dict[str, tuple[int, int]]:
    """For each kind how many were found, and how many there are; a blob counts if found whole."""
    return {
        "pixels": (
            int(np.count_nonzero(dead.pixels & planted.pixels)),
            int(np.count_nonzero(planted.pixels)),
        ),
        "blobs": (sum(bool(dead.blobs[mask].all()) for mask in planted.blobs), len(planted.blobs)),
        "not_finite": (
            int(np.count_nonzero(dead.not_finite & planted.not_finite)),
            int(np.count_nonzero(planted.not_finite)),
        ),
    }
