"""Folders of numbered images in, as clips; a single image is a clip of one frame."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from vidstyle.core import Clip, Color, ExecutionContext, Frame, HostArray, Mark, Note, StageOptions
from vidstyle.core.errors import InputError
from vidstyle.core.paths import IMAGE_SUFFIXES
from vidstyle.imaging.photo_file import image_files, is_photo
from vidstyle.stages.decode.image_file import Image, read_image
from vidstyle.stages.decode.limits import LARGEST_FRAME, MOST_FRAMES, check_count
from vidstyle.stages.decode.thinning import FrameRate, thin_clip, thin_numbers, thin_option

_SRGB: Final = Color("rgb", "full", primaries=1, transfer=13)
_REMEMBERED: Final = 3


class ImagesOptions(StageOptions):
    """What a folder of images does not say itself."""

    frame_rate: FrameRate = Field(
        "25", description="Frames per second: a number, or a fraction such as 30000/1001."
    )
    alpha: Literal["auto", "keep", "drop"] = Field(
        "auto", description="Transparency. auto keeps it if the first image has it."
    )
    thin_to: FrameRate | None = thin_option()
    max_pixels: int = Field(LARGEST_FRAME, ge=1, description="Refuse images with more pixels.")
    max_frames: int = Field(MOST_FRAMES, ge=1, description="Refuse folders with more images.")


class DecodeImages:
    """Reads a folder of images as a clip, in natural order (2 before 10), at a constant frame rate.

    The file of one image is a clip of one frame. In a folder, names that start with a dot and
    files that are no images by their suffix are left out. All images have the size of the first;
    8 and 16 bits, gray, RGB and alpha may mix.
    """

    Options: ClassVar[type[Any]] = ImagesOptions

    def __init__(self, options: ImagesOptions) -> None:
        self.options = options
        self._paths: list[Path] = []
        self._pts: list[int] = []
        self._clip: Clip | None = None
        self._last: int | None = None
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)

    def open(self, path: Path, context: ExecutionContext) -> Clip:
        """List the folder and read its first image. Raises InputError where there is none.

        ``path`` may also be the file of one image.
        """
        self._paths = _images_of(path)
        check_count(path, len(self._paths), self.options.max_frames)
        first = self._read(self._paths[0])
        rate = Fraction(self.options.frame_rate)
        height, width = first.colors.shape[:2]
        clip = Clip(
            width=width,
            height=height,
            time_base=1 / rate,
            frame_rate=rate,
            color=_SRGB,
            bit_depth=first.bit_depth,
            frame_count=len(self._paths),
            alpha=self.options.alpha == "keep"
            or (self.options.alpha == "auto" and first.alpha is not None),
            notes=(*first.notes, *_gaps(self._paths)),
        )
        count = len(self._paths)
        self._pts = [*range(count + 1)]
        if self.options.thin_to is not None:
            wanted = Fraction(self.options.thin_to)
            clip, kept = thin_clip(clip, wanted), thin_numbers(count, rate, wanted)
            self._paths, self._pts = [self._paths[number] for number in kept], [*kept, count]
        self._clip = clip
        return clip

    def frames(self, after: Mark | None = None) -> Iterator[Frame]:
        """All images, or those after the mark, with ``source`` and, if kept, ``alpha``.

        Raises InputError for an image that cannot be read or has another size, and where
        the images before the mark are others than they were.
        """
        if self._clip is None:
            raise RuntimeError("frames() was called before open()")
        self._recent.clear()
        if after is not None:
            self._check(after)
        first = 0 if after is None else after.index + 1
        for index, path in enumerate(self._paths[first:], first):
            image = self._read(path)
            layers = _layers(image, self._clip, path)
            self._last = index
            self._recent.append(image.digest)
            pts, end = self._pts[index : index + 2]
            yield Frame(index, pts, end - pts, layers)

    def times(self) -> Iterator[tuple[int, int]]:
        """Index and pts of each image; none is read."""
        return enumerate(self._pts[:-1])

    def length(self) -> Fraction:
        """Of all images, in seconds."""
        if self._clip is None:
            raise RuntimeError("length() was called before open()")
        return self._pts[-1] * self._clip.time_base

    def frame_at(self, seconds: Fraction) -> Frame:
        """The image that is shown then. Raises InputError where it cannot be read."""
        if self._clip is None:
            raise RuntimeError("frame_at() was called before open()")
        index = bisect_right(self._pts, int(seconds / self._clip.time_base)) - 1
        index = min(max(index, 0), len(self._paths) - 1)
        path = self._paths[index]
        pts, end = self._pts[index : index + 2]
        return Frame(index, pts, end - pts, _layers(self._read(path), self._clip, path))

    def mark(self) -> Callable[[], Mark]:
        """The position after the last image of ``frames``; ValueError before the first."""
        if self._last is None:
            raise ValueError("no frame was read yet, so there is no position to mark")
        mark = Mark(self._last, self._pts[self._last], tuple(self._recent))
        return lambda: mark

    @property
    def notes(self) -> Sequence[Note]:
        """None: all notes are known when the folder is opened."""
        return ()

    def close(self) -> None:
        """Nothing stays open between images."""

    def _read(self, path: Path) -> Image:
        return read_image(path, max_pixels=self.options.max_pixels)

    def _check(self, mark: Mark) -> None:
        start = max(0, mark.index + 1 - len(mark.digests))
        before = self._paths[start : mark.index + 1]
        if tuple(self._read(path).digest for path in before) != mark.digests:
            raise InputError(
                f"{self._paths[0].parent}: image {mark.index} is not the one that an earlier "
                "run stopped after; the folder has changed; start again from the beginning"
            )


def _images_of(folder: Path) -> list[Path]:
    if is_photo(folder) and folder.is_file():
        return [folder]
    if folder.is_file():
        raise InputError(f"{folder}: is a file; decode/images reads a folder of images")
    try:
        paths = image_files(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error
    if not paths:
        raise InputError(
            f"{folder}: no images in it; for a folder of clips use vidstyle batch. Looked for"
            f" {' '.join(IMAGE_SUFFIXES)}"
        )
    return sorted(paths, key=lambda path: (_natural(path.name), path.name))


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Numbers compare as numbers, and come before letters."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.lower())
    return [(False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts]


def _gaps(paths: Sequence[Path]) -> Iterator[Note]:
    """A note where the numbers in the names are not consecutive."""
    numbers = [re.findall(r"[0-9]+", path.stem) for path in paths]
    if all(numbers):
        last = sorted({int(found[-1]) for found in numbers})
        missing = last[-1] - last[0] + 1 - len(last)
        if missing and len(last) == len(paths):
            what = "1 number is" if missing == 1 else f"{missing} numbers are"
            text = f"{what} missing between {paths[0].name} and {paths[-1].name}"
            yield Note("missing-images", text)


def _layers(image: Image, clip: Clip, path: Path) -> dict[str, HostArray]:
    height, width = image.colors.shape[:2]
    if (width, height) != (clip.width, clip.height):
        raise InputError(
            f"{path}: is {width}x{height}, the first image is {clip.width}x{clip.height}; "
            "make all images of a folder the same size, or stylize each by itself with"
            " `vidstyle run --photos`"
        )
    layers = {"source": image.colors}
    if clip.alpha:
        whole = np.ones((height, width), np.float32)
        layers["alpha"] = whole if image.alpha is None else image.alpha
    for layer in layers.values():
        layer.flags.writeable = False
    return layers


STAGE = DecodeImages
