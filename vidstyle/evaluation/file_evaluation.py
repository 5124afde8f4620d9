"""Clips in files, judged: which they are, and what is read in which order."""

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
from vidstyle.evaluation.clip_frames import clip_frames, clip_size, find_cuts
from vidstyle.evaluation.evaluators import Evaluator, enough_memory
from vidstyle.evaluation.frame_groups import zip_clips
from vidstyle.evaluation.network_metrics import NetworkMetrics
from vidstyle.evaluation.scores import Evaluation

SOURCE, PER_FRAME = "source", "per frame"
"""Names that no styled clip has."""

Seen: TypeAlias = Callable[[int, int], None]
"""Told how many frames are judged, and of how many."""


@dataclass(frozen=True, slots=True)
class Clips:
    """Files, or folders of images. ``name_clips`` makes them."""

    source: Path
    per_frame: Path | None
    styled: Mapping[str, Path]
    """By the names that their figures get."""

    @property
    def named(self) -> dict[str, Path]:
        """All of them; ``source`` comes first, ``per frame`` second where there is one."""
        alone = {} if self.per_frame is None else {PER_FRAME: self.per_frame}
        return {SOURCE: self.source, **alone, **self.styled}


def name_clips(source: Path, per_frame: Path | None, styled: Sequence[Path]) -> Clips:
    """Clips by the names of their files, or by path where two names would be one.

    Raises UsageError where a clip is given twice.
    """
    taken = Counter([SOURCE, PER_FRAME, *(path.name for path in styled)])
    names = [
        path.name if taken[path.name] == 1 else f"{path.parent}/{path.name}" for path in styled
    ]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UsageError(f"{twice[0]} is given twice")
    return Clips(source, per_frame, MappingProxyType(dict(zip(names, styled, strict=True))))


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """What is known of clips before they are judged."""

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
        """The frames that count."""
        size = self.source_size if self.resize else None
        return clip_frames(path, self.interval, size=size)


def check_clips(
    clips: Clips, *, frames: tuple[int, int | None] = (0, None), resize: bool = False
) -> ClipCheck:
    """Read the clips once, to find the source's cuts and to see that they belong together.

    ``frames`` is the interval; ``resize`` scales clips of another size to the source's. Raises
    InputError where a clip cannot be read or differs in length or size: in seconds, where some
    judges take minutes.
    """
    sizes = {path: clip_size(path) for path in clips.named.values()}
    size = sizes[clips.source]
    notes = tuple(_scaled(sizes, size)) if resize else ()
    found = ClipCheck(frames, size, resize, 0, (), notes)
    count = 0

    def counted() -> Iterator[HostArray]:
        nonlocal count
        for images in zip_clips([(str(path), found.read(path)) for path in clips.named.values()]):
            count += 1
            yield images[0]

    cuts = find_cuts(counted())
    return replace(found, frames=count, cuts=cuts)


def evaluate_files(
    clips: Clips,
    known: ClipCheck,
    judge: Evaluator,
    *,
    extras: NetworkMetrics | None = None,
    seen: Seen | None = None,
) -> dict[str, Evaluation]:
    """The evaluation of each styled clip, by its name; see ``judge.evaluate_clips``.

    Also raises DeviceError where memory runs out.
    """
    extras = extras or NetworkMetrics()
    width, height = known.source_size
    remedy = "judge fewer clips at a time, or smaller ones"
    with enough_memory(f"judging {len(clips.named)} clips of {width}x{height}", remedy):
        return evaluate_clips(
            _told(known.read(clips.source), known.frames, seen),
            {name: known.read(path) for name, path in clips.styled.items()},
            judge.flow,
            judge=judge.name,
            per_frame=None if clips.per_frame is None else known.read(clips.per_frame),
            cuts=known.cuts,
            likeness=extras.likeness,
            style_loss=extras.style_loss,
            allowed_blobs=extras.allowed_blobs,
            notes=(*judge.notes, *extras.notes, *known.notes),
        )


def _told(frames: Iterable[HostArray], count: int, seen: Seen | None) -> Iterator[HostArray]:
    """The same frames; each is told of when the next one is asked for, which is when it is done."""
    for done, frame in enumerate(frames, 1):
        yield frame
        if seen:
            seen(done, count)


def _scaled(sizes: Mapping[Path, tuple[int, int]], size: tuple[int, int]) -> Iterator[str]:
    for path, (width, height) in sizes.items():
        if (width, height) != size:
            yield f"{path} is scaled from {width}x{height} to {size[0]}x{size[1]}: less sharp"
