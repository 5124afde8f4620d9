"""Everything that is run on one stylized clip, and its evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from vidstyle.core import HostArray
from vidstyle.evaluation.baselines import BASELINES, Baseline
from vidstyle.evaluation.clip_evaluation import evaluate_clips
from vidstyle.evaluation.evaluators import EvaluatorName, choose_evaluator, weights_file
from vidstyle.evaluation.motion import PairFlow
from vidstyle.evaluation.scores import Evaluation

from .footage import Footage
from .presets import ClipMotion, Preset, frames_of
from .store import Kept, Store, digest_of_code, digest_of_files

PER_FRAME = "per frame"
REFERENCE = "masked warp 0.8"
"""The baseline that others' ghosts are measured by."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip in one style, and what each preset found out about its motion."""

    footage: Footage
    style_image: Kept
    motions: tuple[ClipMotion, ...]
    """Preset by preset; the baselines take the first."""


FramesOf: TypeAlias = Callable[[Scene], Iterator[HostArray]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One point of one curve."""

    method: str
    dial: float | None
    ours: bool
    frames: FramesOf

    @property
    def name(self) -> str:
        return self.method if self.dial is None else f"{self.method} {self.dial:g}"


def candidates(presets: Sequence[Preset], strengths: Sequence[float]) -> list[Candidate]:
    """Curve by curve, the baselines first and of them the painting frame by frame."""
    theirs = [Candidate(one.method, one.dial, False, partial(_baseline, one)) for one in BASELINES]
    ours = [
        Candidate(preset.name, strength, True, partial(_ours, preset, number, strength))
        for number, preset in enumerate(presets)
        for strength in strengths
    ]
    return theirs + ours


def shipped(presets: Sequence[Preset]) -> list[Candidate]:
    """The painting frame by frame, the masked warp at 0.8, and the presets as they are."""
    theirs = [one for one in candidates((), ()) if one.name in (PER_FRAME, REFERENCE)]
    ours = [
        Candidate(preset.name, preset.strength, True, partial(_ours, preset, number, None))
        for number, preset in enumerate(presets)
    ]
    return theirs + ours


def _baseline(baseline: Baseline, scene: Scene) -> Iterator[HostArray]:
    return baseline.blend(frames_of(scene.footage, scene.motions[0], scene.style_image))


def _ours(preset: Preset, number: int, strength: float | None, scene: Scene) -> Iterator[HostArray]:
    return preset.blended(scene.footage, scene.motions[number], scene.style_image, strength)


BLENDS_WITH: Mapping[str, str] = {
    "flow/raft": "raft",
    "flow/farneback": "farneback",
    "flow/dis": "dis",
}
"""How the names of judges begin that are no judges of a preset: they are its own flow."""
_AT_ONCE = 6
# Contenders that are run side by side: each holds a few frames.
_CODE = ("evaluation/evaluators.py", "imaging", "models", "stages/flow")
# That the judges are made of.


class KeptFlow:
    """A judging flow whose pairs are kept on disk as float16."""

    def __init__(self, judge: EvaluatorName, weights: Path | None, store: Store) -> None:
        self._judge, self._weights, self._store = judge, weights, store
        self._flow: PairFlow | None = None

    @cached_property
    def _judged_by(self) -> Mapping[str, str]:
        """What the flows depend on beside the images; read once, for it does not change."""
        weights = weights_file(self._judge, self._weights, offline=False)
        return {
            "weights": digest_of_files([weights] if weights else []),
            "code": digest_of_code(*_CODE),
        }

    def __call__(self, first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        """Both flows (H, W, 2) of a pair of images, rounded to float16 also the first time."""
        pair = [hashlib.sha256(one.tobytes()).hexdigest() for one in (first, second)]
        facts = {"pair": pair, "shape": first.shape, **self._judged_by}
        kept = self._store.array(
            f"judging-{self._judge}", facts, lambda: self._found(first, second)
        )
        return kept[0], kept[1]

    def _found(self, first: HostArray, second: HostArray) -> np.ndarray:
        if self._flow is None:
            self._flow = choose_evaluator(self._judge, weights=self._weights).flow
        return np.stack(self._flow(first, second)).astype(np.float16)


def judged(
    scene: Scene, candidates: Sequence[Candidate], flow: PairFlow, *, judge: EvaluatorName
) -> dict[str, Evaluation]:
    """The candidates' evaluations by name, all against the painting frame by frame."""
    found: dict[str, Evaluation] = {}
    for start in range(0, len(candidates), _AT_ONCE):
        found |= evaluate_clips(
            scene.footage.frames,
            {one.name: one.frames(scene) for one in candidates[start : start + _AT_ONCE]},
            flow,
            judge=judge,
            per_frame=scene.style_image,
            cuts=scene.motions[0].cuts,
        )
    return found
