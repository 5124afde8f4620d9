"""Judging many contenders on one clip, each flow found once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from vidstyle.core import HostArray
from vidstyle.evaluation.evaluation import Evaluation
from vidstyle.evaluation.evaluation_flow import JudgeName, choose_judge, weights_file
from vidstyle.evaluation.evaluator import judge_clips
from vidstyle.evaluation.motion import JudgingFlow

from .contenders import Contender, Scene
from .store import Store, digest_of_code, digest_of_files

BLENDS_WITH: Mapping[str, str] = {
    "flow/raft": "raft",
    "flow/farneback": "farneback",
    "flow/dis": "dis",
}
"""How the names of judges begin that are no judges of a preset: they are its own flow."""
_AT_ONCE = 6
# Contenders that are run side by side: each holds a few frames.
_CODE = ("evaluation/evaluation_flow.py", "imaging", "models", "stages/flow")
# That the judges are made of.


class KeptFlow:
    """A judging flow whose pairs are kept on disk as float16."""

    def __init__(self, judge: JudgeName, weights: Path | None, store: Store) -> None:
        self._judge, self._weights, self._store = judge, weights, store
        self._flow: JudgingFlow | None = None

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
            self._flow = choose_judge(self._judge, weights=self._weights).flow
        return np.stack(self._flow(first, second)).astype(np.float16)


def judged(
    scene: Scene, contenders: Sequence[Contender], flow: JudgingFlow, *, judge: JudgeName
) -> dict[str, Evaluation]:
    """The contenders' evaluations by name, all against the painting frame by frame."""
    found: dict[str, Evaluation] = {}
    for start in range(0, len(contenders), _AT_ONCE):
        found |= judge_clips(
            scene.footage.frames,
            {one.name: one.frames(scene) for one in contenders[start : start + _AT_ONCE]},
            flow,
            judge=judge,
            per_frame=scene.style_image,
            cuts=scene.motions[0].cuts,
        )
    return found
