"""Side inputs as layers, read in step with the clip.

A layer is (H, W) in [0, 1]: the transparency of the image where its first one has any, else
its luma (BT.601); or, where colors are wanted, (H, W, 3) RGB. It has the size of the decoded clip,
whatever the file's own size is; another shape is refused, or gets black edges.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vidstyle.core.clip import Clip, Note
from vidstyle.core.context import ExecutionContext
from vidstyle.core.errors import InputError
from vidstyle.core.frame import Frame, LazyLayer
from vidstyle.core.layers import HostArray
from vidstyle.core.paths import is_file, is_folder
from vidstyle.core.plan import PlannedInput
from vidstyle.imaging.photo_file import is_photo
from vidstyle.runner.config.side_inputs import SideInput
from vidstyle.runner.plan.own_source import own_source
from vidstyle.stages.decode.image_file import read_image

_ROUNDING = Fraction(1, 1000)
"""Seconds that an image may come early: Matroska rounds times to a millisecond, and the mask of
a frame must not stay behind because it was rounded up."""
_SAME_ASPECT = Fraction(1, 50)
"""By how much of it an aspect may differ from the clip's: sizes are rounded."""
_ADVICE = re.compile(r"(?:(?:raise|set) decode's option |--set decode\.)(\w+).*")
"""How a source's complaint ends; the options of decode are the clip's alone."""
_INSTEAD = {
    "max_pixels": "scale the file down: it is brought to the clip's size anyway",
    "max_frames": "cut the file to the clip's length",
    "max_hours": "cut the file to the clip's length",
    "max_frame_rate": "write the file with fewer frames a second",
    "hdr": "convert the file to SDR",
}
_OTHERWISE = "convert the file to another codec"


class SideReading:
    """One side input, opened. Ask it for the layers of frames in order, once."""

    def __init__(
        self, side: SideInput, clip: Clip, context: ExecutionContext, *, any_shape: bool = False
    ) -> None:
        """Look at the file. Raises InputError where it cannot be read, or has another shape."""
        self.name = side.name
        # What was typed on the command line needs no position.
        placed = side.where is not None and side.where.line is not None
        self._position = f"{side.where}: " if placed else ""
        self._path, self._size = side.path, (clip.width, clip.height)
        self._color = side.color
        self._half_frame = Fraction(1, 2) / clip.frame_rate if clip.frame_rate else Fraction(0)
        # Images of a folder have no times: there is one for each frame.
        self._counted = is_folder(side.path)
        self._source = _source_of(side.path)
        with self._named():
            self._own: Clip = self._source.open(side.path, context)
            self._inner = self._fit(clip, pad=side.pad or any_shape)
        self._pad = side.pad
        self._frames: Iterator[Frame] | None = None
        self._now: Frame | None = None
        self._next: Frame | None = None
        self._origin = 0
        self._transparent = self._ended = self._longer = False
        self._layer: LazyLayer | None = None

    def at(self, index: int, seconds: Fraction) -> LazyLayer:
        """The layer of the clip's frame ``index``, which is shown ``seconds`` after the first.

        The last image that is not later, or of colors a nearer one (see ``_is_nearer``): the
        first one before the side input begins, and the last one after it has ended. Raises
        InputError where there is none at all.
        """
        time = Fraction(index) if self._counted else seconds + _ROUNDING
        with self._named():
            self._begin()
            while self._next is not None and (
                self._time(self._next) <= time or self._is_nearer(self._next, seconds)
            ):
                self._step(self._next)
        self._ended = self._ended or self._is_over(time)
        if self._layer is None:
            self._layer = self._make_layer()
        return self._layer

    def finish(self, seconds: Fraction) -> None:
        """Take note that the clip ends, so many seconds after its first frame."""
        if self._next is not None:
            self._longer = self._counted or self._time(self._next) + _ROUNDING >= seconds

    def planned(self) -> PlannedInput:
        """What a plan says of it; reads the file once for the hash."""
        with self._named():
            digest = _digest(self._path)
        own = self._own
        return PlannedInput(
            self.name, str(self._path), own.width, own.height, digest, self._color, self._pad
        )

    @property
    def notes(self) -> Sequence[Note]:
        """What opening and reading have met, and an end before the clip's."""
        met = [*self._own.notes, *self._source.notes]
        if not self._color:
            # Luma is that of the samples, whatever their colors stand for.
            met = [note for note in met if note.kind != "color-guessed"]
        if self._color and self._own.alpha:
            met.append(Note("dropped", "its transparency is shown on black"))
        if self._ended:
            met.append(Note("side-input-ended", "ends before the clip; its last image is held"))
        if self._color and self._longer:
            met.append(Note("side-input-longer", "is longer than the clip; the rest is left out"))
        return [replace(note, text=f"side input {self.name}: {note.text}") for note in met]

    def close(self) -> None:
        """Give back the file; may be called twice."""
        self._source.close()

    def _fit(self, clip: Clip, *, pad: bool) -> tuple[int, int]:
        """The size to bring images to; less than the clip's where they get edges.

        Raises InputError where the clip's size would stretch what is on the file.
        """
        own = self._own
        pixels = _is_like(Fraction(own.width, own.height), Fraction(clip.width, clip.height))
        shown = _is_like(_shown_aspect(own), _shown_aspect(clip))
        rounded = abs(own.width * clip.height - own.height * clip.width) <= max(*self._size)
        if pixels or shown or rounded:
            return self._size
        if not pad:
            raise InputError(
                f"{self._path}: is {own.width}x{own.height}, another shape than the clip's"
                f" {clip.width}x{clip.height}; crop or pad it to that shape"
            )
        narrower = _shown_aspect(own) / _shown_aspect(clip)
        width = max(1, round(clip.width * min(narrower, Fraction(1))))
        return width, max(1, round(clip.height * min(1 / narrower, Fraction(1))))

    @contextmanager
    def _named(self) -> Generator[None, None, None]:
        try:
            yield
        except InputError as error:
            reason = without_options(error)
            raise InputError(f"{self._position}side input {self.name}: {reason}") from error

    def _begin(self) -> None:
        if self._frames is not None:
            return
        self._frames = iter(self._source.frames())
        first = next(self._frames, None)
        if first is None:
            raise InputError(f"{self._path}: no image of it can be decoded")
        self._origin = first.pts
        alpha = first.layers.get("alpha")
        self._transparent = alpha is not None and float(alpha.min()) < 1
        self._step(first)

    def _step(self, frame: Frame) -> None:
        assert self._frames is not None
        self._now, self._next, self._layer = frame, next(self._frames, None), None

    def _is_nearer(self, following: Frame, seconds: Fraction) -> bool:
        """Whether a later image of colors shows more of this moment than the present one.

        It shows its own moment, where a mask holds until the next one. Less than half a frame of
        the clip away, it is the image of this frame, in a clip whose rate was converted by choosing
        the nearest. Farther away, the present one is meant to be held.
        """
        if not self._color or self._counted or self._now is None:
            return False
        away = self._seconds(following.pts) - seconds
        return away < min(self._half_frame, seconds - self._seconds(self._now.pts))

    def _time(self, frame: Frame) -> Fraction:
        return Fraction(frame.index) if self._counted else self._seconds(frame.pts)

    def _seconds(self, pts: int) -> Fraction:
        return (pts - self._origin) * self._own.time_base

    def _is_over(self, time: Fraction) -> bool:
        if self._next is not None or self._now is None or not self._now.index:
            return False
        if self._counted:
            return time > self._now.index
        return time >= self._seconds(self._now.pts + self._now.duration)

    def _make_layer(self) -> LazyLayer:
        assert self._now is not None
        source = self._now.lazy_layer("source")
        fits = source.shape[1::-1] == self._size == self._inner
        if self._color and fits and "alpha" not in self._now.layers:
            # As it was decoded: perhaps as planes, and within [0, 1].
            return source
        return LazyLayer(self._make_array())

    def _make_array(self) -> HostArray:
        assert self._now is not None
        if self._color:
            layer = self._now.host("source")
            if "alpha" in self._now.layers:
                layer = layer * self._now.host("alpha")[..., np.newaxis]
        elif self._transparent and "alpha" in self._now.layers:
            layer = self._now.host("alpha")
        else:
            luma = cv2.cvtColor(self._now.host("source"), cv2.COLOR_RGB2GRAY)
            layer = np.asarray(luma, np.float32)
        larger = cv2.INTER_CUBIC if self._color else cv2.INTER_LINEAR
        layer = _resized(layer, self._inner, larger)
        layer = np.asarray(np.clip(layer, 0, 1), np.float32)
        return layer if self._inner == self._size else _padded(layer, self._size)


def without_options(error: InputError) -> str:
    """A source's complaint with the advice for a file whose source takes no options."""
    return _ADVICE.sub(lambda found: _INSTEAD.get(found[1], _OTHERWISE), str(error))


@contextmanager
def open_side_inputs(
    inputs: Sequence[SideInput], clip: Clip, context: ExecutionContext, *, any_shape: bool = False
) -> Generator[tuple[SideReading, ...], None, None]:
    """All side inputs of a run on this clip, closed in the end.

    With ``any_shape`` the clip stands for any, and a file of another shape is as good.
    """
    with ExitStack() as stack:
        readings = []
        for side in inputs:
            readings.append(SideReading(side, clip, context, any_shape=any_shape))
            stack.callback(readings[-1].close)
        yield tuple(readings)


class _Still:
    """A source of one image, which holds for the whole clip."""

    notes: tuple[Note, ...] = ()

    def open(self, path: Path, context: ExecutionContext) -> Clip:
        if not is_file(path):
            raise InputError(f"{path}: no such file")
        image = read_image(path)
        layers = {"source": image.colors}
        if image.alpha is not None:
            layers["alpha"] = image.alpha
        self._frame = Frame(0, 0, 1, layers)
        height, width = image.colors.shape[:2]
        return Clip(width, height, Fraction(1))

    def frames(self) -> Iterator[Frame]:
        yield self._frame

    def close(self) -> None:
        return None


def _source_of(path: Path) -> Any:
    """The source that reads such a file or folder."""
    return _Still() if is_photo(path) else own_source(path)


def _shown_aspect(clip: Clip) -> Fraction:
    return clip.width * clip.sample_aspect / clip.height


def _is_like(aspect: Fraction, other: Fraction) -> bool:
    return abs(aspect - other) <= _SAME_ASPECT * other


def _resized(layer: HostArray, size: tuple[int, int], larger: int) -> HostArray:
    """To (width, height): the mean of what a pixel covers, or ``larger`` where it gets larger."""
    height, width = layer.shape[:2]
    if (width, height) == size:
        return layer
    smaller = size[0] < width or size[1] < height
    kernel = cv2.INTER_AREA if smaller else larger
    return np.asarray(cv2.resize(layer, size, interpolation=kernel), np.float32)


def _padded(layer: HostArray, size: tuple[int, int]) -> HostArray:
    """In the middle of black, or of 0."""
    (width, height), (inner_height, inner_width) = size, layer.shape[:2]
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    whole = np.zeros((height, width, *layer.shape[2:]), np.float32)
    whole[top : top + inner_height, left : left + inner_width] = layer
    return whole


def _digest(path: Path) -> str:
    """Hash of a file, or of the names and contents of a folder's files."""
    total = hashlib.sha256()
    try:
        folder = is_folder(path)
        files = sorted(file for file in path.iterdir() if file.is_file()) if folder else [path]
        for file in files:
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
            if folder:
                total.update(file.name.encode(errors="surrogateescape"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return total.hexdigest()
