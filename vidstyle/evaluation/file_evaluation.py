"""Evaluate clips in files: which they are, and what is read in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from vidstyle.core.errors import UsageError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.clip_evaluation import evaluate_clips
from vidstyle.evaluation.clip_frames import clip_frames, clip_size, find_cuts, is_padded
from vidstyle.evaluation.evaluators import Evaluator, enough_memory
from vidstyle.evaluation.frame_groups import zip_clips
from vidstyle.evaluation.network_metrics import NetworkMetrics
from vidstyle.evaluation.scores import Evaluation

SOURCE, PER_FRAME = "source", "per frame"
"""Names that no stylized clip has."""

ReportProgress: TypeAlias = Callable[[int, int], None]
"""Called with the number of frames that are done, and of all frames."""


@dataclass(frozen=True, slots=True)
class ClipPaths:
    """Files, or folders of images. ``name_clips`` makes them."""

    source: Path
    per_frame: Path | None
    stylized: Mapping[str, Path]
    """By the names that their scores get."""

    @property
    def named(self) -> dict[str, Path]:
        """All of them; ``source`` comes first, ``per frame`` second where there is one."""
        baseline = {} if self.per_frame is None else {PER_FRAME: self.per_frame}
        return {SOURCE: self.source, **baseline, **self.stylized}


def name_clips(source: Path, per_frame: Path | None, stylized: Sequence[Path]) -> ClipPaths:
    """Name clips by their files, or by path where two names would be one.

    Args:
        source: The clip that was stylized.
        per_frame: The per-frame baseline, if there is one.
        stylized: The clips to evaluate.

    Returns:
        The paths by name.

    Raises:
        UsageError: A clip is given twice.
    """
    taken = Counter([SOURCE, PER_FRAME, *(path.name for path in stylized)])
    names = [
        path.name if taken[path.name] == 1 else f"{path.parent}/{path.name}" for path in stylized
    ]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UsageError(f"{twice[0]} is given twice")
    return ClipPaths(source, per_frame, MappingProxyType(dict(zip(names, stylized, strict=True))))


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """What a first reading of the clips found."""

    interval: tuple[int, int | None]
    """Indices of the frames that count, half-open, the same of all clips."""
    source_size: tuple[int, int]
    """Width and height of the source's frames."""
    resize: bool
    """Whether clips of another size are scaled to the source's."""
    frames: int
    """How many the interval has."""
    cuts: tuple[int, ...]
    """Of the source, counted from the interval's beginning."""
    notes: tuple[str, ...]

    def read(self, path: Path) -> Iterator[HostArray]:
        """Read the frames that count.

        Args:
            path: Of a clip.

        Returns:
            (H, W, 3) RGB in [0, 1], in order.

        Raises:
            InputError: The clip cannot be read.
        """
        size = self.source_size if self.resize else None
        return clip_frames(path, self.interval, size=size, source_size=self.source_size)


def check_clips(
    clips: ClipPaths, *, frames: tuple[int, int | None] = (0, None), resize: bool = False
) -> ClipCheck:
    """Read the clips once, to find the source's cuts and to check that they belong together.

    It takes seconds, where some evaluators take minutes.

    Args:
        clips: The clips.
        frames: A half-open interval of indices, the same of all clips.
        resize: Whether clips of another size are scaled to the source's.

    Returns:
        What was found.

    Raises:
        InputError: A clip cannot be read, or differs in length or size.
    """
    sizes = {path: clip_size(path) for path in clips.named.values()}
    size = sizes[clips.source]
    notes = (*_unpadded(sizes, size), *(_scaled(sizes, size) if resize else ()))
    check = ClipCheck(frames, size, resize, 0, (), notes)
    count = 0

    def counted() -> Iterator[HostArray]:
        nonlocal count
        for images in zip_clips([(str(path), check.read(path)) for path in clips.named.values()]):
            count += 1
            yield images[0]

    cuts = find_cuts(counted())
    return replace(check, frames=count, cuts=cuts)


def evaluate_files(
    clips: ClipPaths,
    check: ClipCheck,
    evaluator: Evaluator,
    *,
    metrics: NetworkMetrics | None = None,
    report: ReportProgress | None = None,
) -> dict[str, Evaluation]:
    """Evaluate each stylized clip; see ``clip_evaluation.evaluate_clips``.

    Args:
        clips: The clips.
        check: What ``check_clips`` found.
        evaluator: The optical flow.
        metrics: Metrics that need a network.
        report: Called after each frame.

    Returns:
        The evaluation of each stylized clip by its name.

    Raises:
        InputError: No pair of frames has a score.
        DeviceError: Memory runs out.
    """
    metrics = metrics or NetworkMetrics()
    width, height = check.source_size
    remedy = "evaluate fewer clips at a time, or smaller ones"
    with enough_memory(f"evaluating {len(clips.named)} clips of {width}x{height}", remedy):
        return evaluate_clips(
            _reported(check.read(clips.source), check.frames, report),
            {name: check.read(path) for name, path in clips.stylized.items()},
            evaluator.flow,
            evaluator=evaluator.name,
            per_frame=None if clips.per_frame is None else check.read(clips.per_frame),
            cuts=check.cuts,
            perceptual=metrics.perceptual,
            style_loss=metrics.style_loss,
            allowed_blobs=metrics.allowed_blobs,
            notes=(*evaluator.notes, *metrics.notes, *check.notes),
        )


def _reported(
    frames: Iterable[HostArray], count: int, report: ReportProgress | None
) -> Iterator[HostArray]:
    """The same frames; each is reported when the next one is asked for, for then it is done."""
    for done, frame in enumerate(frames, 1):
        yield frame
        if report:
            report(done, count)


def _unpadded(sizes: Mapping[Path, tuple[int, int]], size: tuple[int, int]) -> Iterator[str]:
    for path, own in sizes.items():
        if is_padded(own, size):
            yield f"{path} was made even, {own[0]}x{own[1]}: the repeated edge is left out"


def _scaled(sizes: Mapping[Path, tuple[int, int]], size: tuple[int, int]) -> Iterator[str]:
    for path, (width, height) in sizes.items():
        if (width, height) != size and not is_padded((width, height), size):
            yield f"{path} is scaled from {width}x{height} to {size[0]}x{size[1]}: less sharp"
