"""What the temporal loss learns from, as a user says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vidstyle.models.weights.download import user_cache
from vidstyle.training.motion import MovedPhotos
from vidstyle.training.pairs import Pair, PairSource, join_pairs
from vidstyle.training.sceneflow import SceneFlowPairs


@dataclass(frozen=True)
class PairChoice:
    """A kind of pairs, and where they lie."""

    kind: Literal["motion", "sceneflow", "video"]
    path: Path | None = None
    """A Scene Flow folder, or a clip or a folder of clips."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}" if self.path else self.kind


MOTION = PairChoice("motion")
"""Photos moved by a random camera and foreground; needs nothing but the photos."""


def pair_source(
    choice: PairChoice, photos: Sequence[Path], side: int, generator: np.random.Generator
) -> PairSource:
    """Return the source of pairs that a training draws from.

    Scene Flow and clips alternate at random with moved photos: a few scenes are too few images to
    learn a style from.

    Args:
        choice: Kind and place of the pairs.
        photos: Files.
        side: Of the images, in pixels.
        generator: Decides what is drawn.

    Returns:
        The source.

    Raises:
        InputError: There are no pairs.
    """
    moved = MovedPhotos(photos, side, generator)
    if choice.path is None:
        return moved
    if choice.kind == "sceneflow":
        return Alternating((moved, SceneFlowPairs(choice.path, side, generator)), generator)
    # The runner is only needed here.
    from vidstyle.runner.clips import find_clips
    from vidstyle.training.video_pairs import VideoPairs

    clips = [choice.path]
    if choice.path.is_dir():
        found = find_clips(choice.path, leave_out=user_cache("pairs"), source="")
        clips = list(found.clips)
    videos = VideoPairs(clips, side, generator, cache=user_cache("pairs"))
    return Alternating((moved, videos), generator)


class Alternating:
    """Pairs of several sources, of each as many in the long run.

    Args:
        sources: At least one.
        generator: Decides which source is next.
    """

    def __init__(self, sources: Sequence[PairSource], generator: np.random.Generator) -> None:
        self._sources = tuple(sources)
        self._generator = generator

    def draw(self, count: int) -> Pair:
        return join_pairs([self._source().draw(1) for _ in range(count)])

    def _source(self) -> PairSource:
        return self._sources[self._generator.integers(len(self._sources))]
