"""Everything that is run on one painted clip: the baselines, and ours at every strength."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from vidstyle.core import HostArray
from vidstyle.evaluation.baselines import BASELINES, Baseline

from .footage import Footage
from .presets import Motion, Preset, frames_of
from .store import Kept

PER_FRAME = "per frame"
YARDSTICK = "masked warp 0.8"
"""The baseline that others' ghosts are measured by."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip in one style, and what each preset found out about its motion."""

    footage: Footage
    style_image: Kept
    motions: tuple[Motion, ...]
    """Preset by preset; the baselines take the first."""


Frames: TypeAlias = Callable[[Scene], Iterator[HostArray]]


@dataclass(frozen=True, slots=True)
class Contender:
    """One point of one curve."""

    method: str
    dial: float | None
    ours: bool
    frames: Frames

    @property
    def name(self) -> str:
        return self.method if self.dial is None else f"{self.method} {self.dial:g}"


def contenders(presets: Sequence[Preset], strengths: Sequence[float]) -> list[Contender]:
    """Curve by curve, the baselines first and of them the painting frame by frame."""
    theirs = [Contender(one.method, one.dial, False, partial(_baseline, one)) for one in BASELINES]
    ours = [
        Contender(preset.name, strength, True, partial(_ours, preset, number, strength))
        for number, preset in enumerate(presets)
        for strength in strengths
    ]
    return theirs + ours


def shipped(presets: Sequence[Preset]) -> list[Contender]:
    """The painting frame by frame, the masked warp at 0.8, and the presets as they are."""
    theirs = [one for one in contenders((), ()) if one.name in (PER_FRAME, YARDSTICK)]
    ours = [
        Contender(preset.name, preset.strength, True, partial(_ours, preset, number, None))
        for number, preset in enumerate(presets)
    ]
    return theirs + ours


def _baseline(baseline: Baseline, scene: Scene) -> Iterator[HostArray]:
    return baseline.blend(frames_of(scene.footage, scene.motions[0], scene.style_image))


def _ours(preset: Preset, number: int, strength: float | None, scene: Scene) -> Iterator[HostArray]:
    return preset.blended(scene.footage, scene.motions[number], scene.style_image, strength)
