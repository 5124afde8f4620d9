"""Clips or photos beside one another in one image."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Note, Window
from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.photo_file import is_photo
from vidstyle.report.image_output import put_image
from vidstyle.report.side_by_side import display_size, resize, to_bytes
from vidstyle.runner.config.side_inputs import SideInput
from vidstyle.runner.interval import Indices, spread_evenly
from vidstyle.runner.plan.own_source import own_source
from vidstyle.runner.plan.side_reading import SideReading, open_side_inputs, without_options
from vidstyle.runner.storage.destination import Destination
from vidstyle.stages.decode.images import DecodeImages
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.stages.filter.compare import CompareClips, CompareOptions
from vidstyle.stages.geometry.scale import scaled_size

# Of JPEG and WebP files, 1 to 100.
_QUALITY: Final = 95


@dataclass(frozen=True, slots=True)
class ComparisonImage:
    """What was written."""

    frames: int
    """How many moments it shows: 1 of photos."""
    notes: tuple[Note, ...]
    """What of the clips does not count, or was guessed."""


def write_comparison_image(
    destination: Destination,
    clips: Sequence[Path],
    options: CompareOptions,
    *,
    frames: Indices = (0, None),
    rows: int = 4,
    size: str | None = None,
) -> ComparisonImage:
    """Write an image that compares photos, or frames of clips that are spread evenly.

    The frames of a clip stand below one another, or beside one another where the layout is a
    column. Only the first of them has labels. Clips are matched by time, at the first one's size.

    Args:
        destination: The image's file; its suffix is one of ``image_format.IMAGE_FORMATS``.
        clips: Videos, folders of images, or photos; two at least. Beside a photo there are photos
            only; beside a clip a photo stands still.
        options: The layout; ``clips`` of it are filled in. Without ``split`` a line stands in the
            middle.
        frames: The half-open interval that frames are taken from.
        rows: How many frames of clips, where there are as many.
        size: As that of ``geometry/scale``; None for the first one's own.

    Returns:
        What was written.

    Raises:
        InputError: A clip cannot be read.
        UsageError: A clip stands behind a photo.
        PipelineError: The layout does not take so many clips.
        OutputError: The file cannot be written.
    """
    layers = tuple(f"clip{number}" for number in range(2, len(clips) + 1))
    split = 0.5 if options.split is None else options.split
    options = options.model_copy(update={"clips": layers, "split": split})
    context = ExecutionContext()
    with ExitStack() as stack:
        first = stack.enter_context(_open_first(clips, context))
        clip = _fit(first.clip, size)
        sides = [
            SideInput(name, path.absolute(), color=True, pad=True)
            for name, path in zip(layers, clips[1:], strict=True)
        ]
        others = stack.enter_context(open_side_inputs(sides, clip, context))
        labeled = CompareClips(options)
        plain = CompareClips(options.model_copy(update={"labels": ()}))
        for stage in (labeled, plain):
            stage.open(clip, context)
        images: list[HostArray] = []
        for frame, seconds in _spread(first, frames, rows):
            stage = labeled if not images else plain
            images.append(_compose(frame, seconds, clip, others, stage))
        notes = [*first.notes(), *(note for side in others for note in side.notes)]
        notes += labeled.notes
    beside = options.layout == "stacked"
    whole = np.hstack(images) if beside else np.vstack(images)
    put_image(destination, to_bytes(whole), quality=_QUALITY)
    return ComparisonImage(len(images), tuple(notes))


@dataclass(frozen=True, slots=True)
class _First:
    """The clip that gives size and time, opened."""

    source: DecodeImages | DecodePyAV
    clip: Clip
    path: Path

    def notes(self) -> Sequence[Note]:
        return [*self.clip.notes, *self.source.notes]


@contextmanager
def _open_first(clips: Sequence[Path], context: ExecutionContext) -> Generator[_First, None, None]:
    path, *others = clips
    if is_photo(path):
        for other in others:
            if not is_photo(other):
                raise UsageError(
                    f"{path} is a photo, and {other} is a clip: name the clip first, or photos only"
                )
    with closing(own_source(path)) as source:
        try:
            clip = source.open(path, context)
        except InputError as error:
            raise InputError(without_options(error)) from error
        yield _First(source, clip, path)


def _fit(clip: Clip, size: str | None) -> Clip:
    """The clip at the size that is wanted, in square pixels: image files know no others."""
    width, height = clip.width, clip.height
    if clip.sample_aspect != 1:
        width, height = display_size(clip, clip.width)
    if size is not None:
        width, height = scaled_size(size, width, height)
    return replace(clip, width=width, height=height, sample_aspect=Fraction(1))


def _spread(first: _First, interval: Indices, rows: int) -> Iterator[tuple[Frame, Fraction]]:
    """Frames in the middles of equal parts of the interval, and their seconds, in order."""
    start, stop = interval
    count = first.clip.frame_count
    if count is None and stop is None:
        count = sum(1 for _ in first.source.times())
    length = max(1, min(each for each in (count, stop) if each is not None) - start)
    wanted = [start + at for at in spread_evenly(length, rows)]
    rows = len(wanted)
    passed: tuple[Frame, Fraction] | None = None
    origin: int | None = None
    for frame in first.source.frames():
        origin = frame.pts if origin is None else origin
        timed = frame, (frame.pts - origin) * first.clip.time_base
        if frame.index >= wanted[0]:
            yield timed
            wanted, passed = wanted[1:], None
            if not wanted:
                return
        elif frame.index >= start:
            passed = timed
    if passed is not None:
        # The file has fewer frames than it says.
        yield passed
    elif len(wanted) == rows:
        raise InputError(f"{first.path}: there is nothing to show: it has no frame {start}")


def _compose(
    frame: Frame, seconds: Fraction, clip: Clip, others: Sequence[SideReading], stage: CompareClips
) -> HostArray:
    names, size = {"image": "source", "alpha": "alpha"}, (clip.width, clip.height)
    layers = {
        name: np.asarray(np.clip(resize(frame.host(own), size), 0, 1), np.float32)
        for name, own in names.items()
        if own in frame.layers
    }
    if "alpha" in layers:
        layers["alpha"] = layers["alpha"].reshape(clip.height, clip.width)
    for other in others:
        layers[other.name] = other.at(frame.index, seconds).host()
    shown = Frame(frame.index, frame.pts, frame.duration, layers)
    written, _ = stage.step(Window(shown, stage.options), None)
    return np.asarray(written["image"])
