"""Pairs from any video, with the flow that a flow stage finds."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle.core.errors import InputError, OutputError
from vidstyle.runner.config.discovery import Registry, folders_from_environment
from vidstyle.runner.config.pipeline import Pipeline, StageEntry, load_stage
from vidstyle.runner.config.pipeline_file import VERSION
from vidstyle.runner.config.stage_list import stage_of_values
from vidstyle.runner.config.yaml_values import Where
from vidstyle.runner.job import Job, run
from vidstyle.training.pair_cache import FORMAT, open_pairs
from vidstyle.training.pairs import Pair, join_pairs, random_crop

FLOW = "flow/dis"
FRAMES = (0, 600)
"""Half-open interval of the frames that are used: a clip's first 24 seconds or so."""

Value = str | int | float | bool | None
"""Of an option, as YAML has it."""

logger = logging.getLogger(__name__)

# Of the sink that keeps the pairs, found by its name as a plugin is.
_STAGES = Path(__file__).parent / "stages"


class VideoPairs:
    """Random crops of random consecutive frames of clips, never across a cut.

    The flow of the clips is taken from the cache, or computed; see ``keep_pairs``.

    Args:
        clips: Video files.
        side: Of the images, in pixels.
        generator: Decides what is drawn.
        cache: Folder of the clips' frames and flow.
        flow: Name of a flow stage.
        options: Of that stage.
        frames: Half-open interval of the frames that are used.
        device: As ``vidstyle run --device`` takes it.

    Raises:
        InputError: No clip has two frames in one shot, or one cannot be read; ``keep_pairs`` raises
            more.
    """

    def __init__(
        self,
        clips: Sequence[Path],
        side: int,
        generator: np.random.Generator,
        *,
        cache: Path,
        flow: str = FLOW,
        options: Mapping[str, Value] | None = None,
        frames: tuple[int, int | None] = FRAMES,
        device: str = "auto",
    ) -> None:
        self._kept = [
            open_pairs(
                keep_pairs(clip, cache, flow=flow, options=options, frames=frames, device=device)
            )
            for clip in clips
        ]
        self._pairs = [(kept, later) for kept in self._kept for later in kept.later]
        if not self._pairs:
            raise InputError("no clip has two frames in one shot: name other clips")
        self._side = side
        self._generator = generator

    def draw(self, count: int) -> Pair:
        """Draw pairs.

        Args:
            count: How many, at least 1.

        Returns:
            So many pairs of (side, side) images.
        """
        return join_pairs([self._pair() for _ in range(count)])

    def _pair(self) -> Pair:
        kept, later = self._pairs[self._generator.integers(len(self._pairs))]
        return random_crop(
            kept.frames[later - 1],
            kept.frames[later],
            kept.flow[later],
            kept.visible[later],
            side=self._side,
            generator=self._generator,
        )


def keep_pairs(
    clip: Path,
    cache: Path,
    *,
    flow: str = FLOW,
    options: Mapping[str, Value] | None = None,
    frames: tuple[int, int | None] = FRAMES,
    device: str = "auto",
) -> Path:
    """Return the folder with a clip's frames, flow and visibility; compute them if it is missing.

    The folder is named after the clip's bytes, the flow stage, its options and the frames, and is
    there whole or not at all.

    Args:
        clip: A video file.
        cache: Folder of such folders.
        flow: Name of a flow stage; plugins of ``VIDSTYLE_PLUGINS`` count.
        options: Of that stage, as a pipeline has them.
        frames: Half-open interval of the frames that are used.
        device: As ``vidstyle run --device`` takes it.

    Returns:
        The folder in ``cache``.

    Raises:
        InputError: The clip cannot be read.
        PipelineError: There is no such stage or option.
        DeviceError: The device is absent.
        OutputError: The cache cannot be written.
    """
    pipeline = _pipeline(flow, options or {})
    folder = cache / _name(clip, pipeline, frames)
    if folder.is_dir():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {cache}: {error.strerror}") from error
    with _threads_as_they_were():
        result = run(Job(pipeline, clip, folder, device, frames))
    logger.info("%s: flow of %d frames is kept in %s", clip, result.frames, folder)
    return folder


def _pipeline(flow: str, options: Mapping[str, Value]) -> Pipeline:
    folders = (*folders_from_environment(), _STAGES)
    registry = Registry(folders)
    names = ("decode/pyav", "shots/histogram", flow, "encode/pairs")
    entries = tuple(_entry(name, registry, options if name == flow else {}) for name in names)
    return Pipeline(VERSION, entries, Path("pairs of a video"), plugins=registry.folders)


def _entry(use: str, registry: Registry, options: Mapping[str, Value]) -> StageEntry:
    where = Where(f"flow for pairs, {use}")
    return load_stage(stage_of_values(use, options, where), registry)


def _name(clip: Path, pipeline: Pipeline, frames: tuple[int, int | None]) -> str:
    stages = [[stage.use, stage.options.model_dump(mode="json")] for stage in pipeline.stages]
    facts = {"clip": _digest(clip), "stages": stages, "frames": frames, "format": FORMAT}
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    # A name for who looks into the folder; dots would be taken for a suffix.
    return f"{re.sub(r'[^0-9A-Za-z_-]+', '-', clip.stem)[:40]}-{key[:24]}"


def _digest(clip: Path) -> str:
    try:
        with clip.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {clip}: {error.strerror or error}") from error


@contextmanager
def _threads_as_they_were() -> Iterator[None]:
    """A run sets the process's threads, on whose number the bits of a training depend."""
    before, before_cv2 = torch.get_num_threads(), cv2.getNumThreads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
        cv2.setNumThreads(before_cv2)
