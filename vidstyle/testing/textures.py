"""Procedural surfaces: smooth sums of waves, exact at any point between pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidstyle.testing.scene import Doubles

SHORTEST_WAVE = 10.0
"""Pixels; long enough that interpolating between pixels stays close to the truth."""
_LONGEST_WAVE = 64.0
_WAVES = 12
_CONTRAST = 0.4


@dataclass(frozen=True, slots=True)
class Waves:
    """A sum of plane waves around a color, within 0.4 of it. Opaque everywhere."""

    frequencies: Doubles
    """(N, 2) in radians a pixel."""
    phases: Doubles
    """(N,) in radians."""
    weights: Doubles
    """(N, 3), a wave's share in each channel."""
    tone: float
    """Middle of the range, in [0.4, 0.6]."""

    def __call__(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        points = np.stack([x, y], axis=-1)
        waves = np.sin(points @ self.frequencies.T + self.phases)
        return self.tone + waves @ self.weights, np.ones(x.shape)

    def curvature(self) -> float:
        """Bound on the second derivative in any channel and direction, per square pixel."""
        squares = (self.frequencies**2).sum(axis=1)
        return float((squares @ np.abs(self.weights)).max())


def make_waves(seed: int, *, tone: float = 0.5) -> Waves:
    """Make a texture; each seed has its own.

    Args:
        seed: Any number.
        tone: Mean brightness, in [0, 1].

    Returns:
        The texture.
    """
    random = np.random.default_rng(seed)
    lengths = np.geomspace(SHORTEST_WAVE, _LONGEST_WAVE, _WAVES)
    angles = random.uniform(0, np.pi, _WAVES)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    weights = random.uniform(-1, 1, (_WAVES, 3)) * np.sqrt(lengths)[:, np.newaxis]
    weights *= _CONTRAST / np.abs(weights).sum(axis=0)
    frequencies = 2 * np.pi * directions / lengths[:, np.newaxis]
    return Waves(frequencies, random.uniform(0, 2 * np.pi, _WAVES), weights, tone)


@dataclass(frozen=True, slots=True)
class Disc:
    """A texture that is only there within an ellipse around a point; its edge is sharp."""

    texture: Waves
    center: tuple[float, float]
    radii: tuple[float, float]
    """Half axes in x and y, in pixels."""

    def __call__(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        color, _ = self.texture(x, y)
        across = (x - self.center[0]) / self.radii[0]
        along = (y - self.center[1]) / self.radii[1]
        return color, (across**2 + along**2 <= 1).astype(np.float64)
