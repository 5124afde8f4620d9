"""What no average shows: a scene that stands still, and the first frame after a cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vidstyle.core import HostArray

from .candidates import Candidate, Scene

SETTLING = 30
"""Frames at the beginning of a still that do not count: a recurrence starts at one whole frame."""


@dataclass(frozen=True, slots=True)
class StillNoise:
    """What is left of the noise of a still."""

    style: str
    name: str
    deviation: float
    """Standard deviation over time, mean over pixels and channels, of 255."""
    ratio: float
    """Over that of the per-frame baseline."""
    slope: float
    """Change of the mean luma per frame, of 255, by least squares."""

    def __str__(self) -> str:
        return (
            f"{self.style}: {self.name[:23]:24} deviation {self.deviation:7.4f} of 255,"
            f" {self.ratio:6.3f} of per frame's, luma slope {self.slope:+.5f} of 255 a frame"
        )


@dataclass(frozen=True, slots=True)
class Bleed:
    """How far a blend is from the stylized frame on the first frames of shots."""

    style: str
    clip: str
    name: str
    cuts: tuple[int, ...]
    """As the pipeline found them."""
    worst: float
    """Largest absolute difference; exactly 0 is asked for."""

    @property
    def holds(self) -> bool:
        return bool(self.cuts) and self.worst == 0

    def __str__(self) -> str:
        answer = "yes" if self.holds else "NO"
        found = f"{len(self.cuts)} cuts" if self.cuts else "no cut found"
        return f"{self.style}: {self.name} on {self.clip}: {answer}, {self.worst:g} at {found}"


def measure_still(style: str, scene: Scene, some: Sequence[Candidate]) -> list[StillNoise]:
    """Measure every candidate on a noisy still; the first of them is the per-frame baseline."""
    skip = min(SETTLING, len(scene.footage.frames) // 4)
    found = [spread(one.frames(scene), skip) for one in some]
    per_frame = found[0][0]
    return [
        StillNoise(
            style,
            one.name,
            255 * deviation,
            deviation / per_frame if per_frame else 1.0,
            255 * slope,
        )
        for one, (deviation, slope) in zip(some, found, strict=True)
    ]


def bleeds(style: str, scene: Scene, some: Sequence[Candidate]) -> Iterator[Bleed]:
    """Every candidate on a clip with cuts."""
    cuts = scene.motions[0].cuts
    for one in some:
        worst = max(
            (
                float(np.abs(frame - scene.stylized[index]).max())
                for index, frame in enumerate(one.frames(scene))
                if index in cuts
            ),
            default=0.0,
        )
        yield Bleed(style, scene.footage.name, one.name, cuts, worst)


def spread(frames: Iterable[HostArray], skip: int) -> tuple[float, float]:
    """Measure deviation over time and slope of the mean luma per frame, after ``skip`` frames."""
    total = squares = np.zeros(())
    luma = []
    for index, frame in enumerate(frames):
        if index >= skip:
            # About a constant, so that the difference of two large sums is not taken.
            centered = frame.astype(np.float64) - 0.5
            total, squares = total + centered, squares + np.square(centered)
            luma.append(float(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).mean(dtype=np.float64)))
    variance = squares / len(luma) - np.square(total / len(luma))
    slope = np.polyfit(np.arange(len(luma)), luma, 1)[0] if len(luma) > 1 else 0.0
    return float(np.sqrt(np.maximum(variance, 0)).mean()), float(slope)
