"""Every method that is run on one stylized clip, and its evaluation."""

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
from vidstyle.kernels.library import has_kernels

from .footage import Footage
from .presets import ClipMotion, Preset, frames_of
from .store import Kept, Store, digest_of_code, digest_of_files

PER_FRAME = "per frame"
REFERENCE = "masked warp 0.8"
"""The method whose ghosting is 1."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip in one style, and what each preset found about its motion."""

    footage: Footage
    stylized: Kept
    motions: tuple[ClipMotion, ...]
    """One per preset; the baselines use the first."""


RunMethod: TypeAlias = Callable[[Scene], Iterator[HostArray]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One point of one curve."""

    method: str
    parameter: float | None
    """The strength, of ours."""
    smoothing: float | None
    """None for a baseline."""
    frames: RunMethod

    @property
    def ours(self) -> bool:
        """Whether it is a preset, not a baseline."""
        return self.smoothing is not None

    @property
    def name(self) -> str:
        return point_name(self.method, self.parameter, self.smoothing)


def point_name(method: str, parameter: float | None, smoothing: float | None) -> str:
    """Name a point of a curve, such as ``temporal 0.85`` or ``temporal 0.85, smoothing 0.5``."""
    own = "" if parameter is None else f" {parameter:g}"
    return method + own + (f", smoothing {smoothing:g}" if smoothing else "")


def candidates(
    presets: Sequence[Preset], pairs: Sequence[tuple[float | None, float]]
) -> list[Candidate]:
    """Give all points curve by curve: the baselines, the per-frame one first, then ours.

    ``pairs`` are strength and smoothing; a strength of None is the preset's own.
    """
    theirs = [
        Candidate(one.method, one.parameter, None, partial(_baseline, one)) for one in BASELINES
    ]
    ours: dict[str, Candidate] = {}
    for number, preset in enumerate(presets):
        for strength, smoothing in pairs:
            point = preset.strength if strength is None else strength, smoothing
            one = Candidate(preset.name, *point, partial(_ours, preset, number, point))
            ours.setdefault(one.name, one)
    return [*theirs, *ours.values()]


def shipped(presets: Sequence[Preset]) -> list[Candidate]:
    """Give the per-frame baseline, the masked warp at 0.8, and the presets as they ship."""
    theirs = [one for one in candidates((), ()) if one.name in (PER_FRAME, REFERENCE)]
    ours = [
        Candidate(preset.name, preset.strength, 0.0, partial(_ours, preset, number, None))
        for number, preset in enumerate(presets)
    ]
    return theirs + ours


def _baseline(baseline: Baseline, scene: Scene) -> Iterator[HostArray]:
    return baseline.blend(frames_of(scene.footage, scene.motions[0], scene.stylized))


def _ours(
    preset: Preset, number: int, point: tuple[float, float] | None, scene: Scene
) -> Iterator[HostArray]:
    return preset.blend(scene.footage, scene.motions[number], scene.stylized, point)


BLENDS_WITH: Mapping[str, str] = {
    "flow/raft": "raft",
    "flow/farneback": "farneback",
    "flow/dis": "dis",
}
"""How the names of evaluators begin that are the own flow of a preset."""
# Candidates that are run side by side: each has a few frames in memory.
_AT_ONCE = 6
# What the evaluators depend on.
_CODE = ("evaluation/evaluators.py", "imaging", "kernels", "models", "stages/flow")


class KeptFlow:
    """An evaluator's flow whose pairs are kept on disk as float16."""

    def __init__(self, evaluator: EvaluatorName, weights: Path | None, store: Store) -> None:
        self._evaluator, self._weights, self._store = evaluator, weights, store
        self._flow: PairFlow | None = None

    @cached_property
    def _dependencies(self) -> Mapping[str, str]:
        """What the flows depend on beside the images; read once."""
        weights = weights_file(self._evaluator, self._weights, offline=False)
        return {
            "weights": digest_of_files([weights] if weights else []),
            "code": digest_of_code(*_CODE),
            "kernels": str(has_kernels()),
        }

    def __call__(self, first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
        """Both flows (H, W, 2) of a pair of images, rounded to float16 also the first time."""
        pair = [hashlib.sha256(one.tobytes()).hexdigest() for one in (first, second)]
        facts = {"pair": pair, "shape": first.shape, **self._dependencies}
        kept = self._store.array(
            f"evaluation-{self._evaluator}", facts, lambda: self._found(first, second)
        )
        return kept[0], kept[1]

    def _found(self, first: HostArray, second: HostArray) -> np.ndarray:
        if self._flow is None:
            self._flow = choose_evaluator(self._evaluator, weights=self._weights).flow
        return np.stack(self._flow(first, second)).astype(np.float16)


def evaluate_candidates(
    scene: Scene, candidates: Sequence[Candidate], flow: PairFlow, *, evaluator: EvaluatorName
) -> dict[str, Evaluation]:
    """Evaluate the candidates by name, all beside the per-frame baseline."""
    found: dict[str, Evaluation] = {}
    for start in range(0, len(candidates), _AT_ONCE):
        found |= evaluate_clips(
            scene.footage.frames,
            {one.name: one.frames(scene) for one in candidates[start : start + _AT_ONCE]},
            flow,
            evaluator=evaluator,
            per_frame=scene.stylized,
            cuts=scene.motions[0].cuts,
        )
    return found
