"""Photos for training: a folder as an endless, seeded row of crops."""

from __future__ import annotations

import logging
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vidstyle.core.errors import InputError
from vidstyle.imaging.image_size import image_size
from vidstyle.stages.decode.limits import LARGEST_FRAME

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_MOST_PIXELS: Final = 4 * LARGEST_FRAME
"""16384x16384: as many bytes as the largest frame of a clip, which is float32."""
_LARGEST_FILE: Final = 1 << 30
"""Bytes: more than 16 bits a channel take in photos of the largest cameras."""
_LARGEST_ENLARGEMENT = 1.25
"""Of a photo before it is cropped: more would teach the network what blur looks like."""
_SATURATION = (0.5, 1.5)
"""Factors by which the colors of a crop move away from gray."""

logger = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]


class PhotoCrops:
    """Random crops, flips and scales of photos; the same generator gives the same crops.

    Args:
        paths: Files.
        side: Of the crops, in pixels.
        generator: Decides what is drawn.
        unreadable: Collects the files that cannot be read, each reported once; several rows of
            photos may share it.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        side: int,
        generator: np.random.Generator,
        *,
        unreadable: set[Path] | None = None,
    ) -> None:
        self._paths = tuple(paths)
        self._side = side
        self._generator = generator
        self._unreadable: set[Path] = set() if unreadable is None else unreadable

    def draw(self, count: int) -> torch.Tensor:
        """Draw crops. Unreadable files are skipped, each with one line in the log.

        Args:
            count: How many, at least 1.

        Returns:
            (N, 3, side, side) RGB in [0, 1].

        Raises:
            InputError: No file is left.
        """
        return torch.cat([to_tensor(self._crop(self._photo())) for _ in range(count)])

    def _photo(self) -> Image:
        while len(self._unreadable) < len(self._paths):
            path = self._paths[self._generator.integers(len(self._paths))]
            try:
                return read_photo(path)
            except InputError as error:
                if path not in self._unreadable:
                    logger.warning("skipped: %s", error)
                self._unreadable.add(path)
        raise InputError(f"none of the {len(self._paths)} photos can be read")

    def _crop(self, photo: Image) -> Image:
        # Between the whole shorter side and a cut-out at the photo's own size: objects at
        # the sizes in which clips show them.
        shortest = min(photo.shape[:2])
        smallest = min(shortest, max(1, round(self._side / _LARGEST_ENLARGEMENT)))
        side = int(self._generator.integers(smallest, shortest, endpoint=True))
        top = int(self._generator.integers(photo.shape[0] - side, endpoint=True))
        left = int(self._generator.integers(photo.shape[1] - side, endpoint=True))
        crop = photo[top : top + side, left : left + side]
        if self._generator.random() < 0.5:
            crop = crop[:, ::-1]
        return self._recolored(resize_photo(np.ascontiguousarray(crop), self._side, self._side))

    def _recolored(self, crop: Image) -> Image:
        # A few hundred photos show few saturated colors; a network that never saw a pure red
        # makes white blobs there.
        saturation = self._generator.uniform(*_SATURATION)
        gray = crop.mean(axis=2, keepdims=True, dtype=np.float32)
        recolored: Image = (gray + saturation * (crop - gray)).clip(0, 255).round().astype(np.uint8)
        return recolored


def list_photos(folder: Path) -> tuple[Path, ...]:
    """List the photos of a folder and of the folders in it.

    Args:
        folder: Where to look.

    Returns:
        Files, in order.

    Raises:
        InputError: There are none.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of photos")
    photos = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()
    )
    if not photos:
        raise InputError(f"{folder} has no photos; wanted {', '.join(sorted(_SUFFIXES))}")
    return tuple(photos)


def hold_out(paths: Sequence[Path], count: int) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Divide photos into those to train on and those to measure on.

    What is held out is spread evenly over the row, a quarter of it at most. A folder of fewer than
    four photos serves as both.

    Args:
        paths: Files.
        count: How many to hold out at most.

    Returns:
        Those to train on, and those to measure on.
    """
    count = min(count, len(paths) // 4)
    if not count:
        return tuple(paths), tuple(paths)
    chosen = {index * len(paths) // count for index in range(count)}
    rest = tuple(path for index, path in enumerate(paths) if index not in chosen)
    return rest, tuple(paths[index] for index in sorted(chosen))


def read_squares(paths: Sequence[Path], side: int) -> tuple[torch.Tensor, ...]:
    """Read the middle of each readable photo.

    Args:
        paths: Files.
        side: Of the squares, in pixels.

    Returns:
        (1, 3, side, side) RGB in [0, 1] each.

    Raises:
        InputError: None can be read.
    """
    squares = []
    for path in paths:
        try:
            photo = read_photo(path)
        except InputError as error:
            logger.warning("skipped: %s", error)
            continue
        shortest = min(photo.shape[:2])
        top, left = ((length - shortest) // 2 for length in photo.shape[:2])
        square = np.ascontiguousarray(photo[top : top + shortest, left : left + shortest])
        squares.append(to_tensor(resize_photo(square, side, side)))
    if not squares:
        raise InputError(f"none of the {len(paths)} photos can be read")
    return tuple(squares)


def read_photo(path: Path) -> Image:
    """Read an image, upright as its EXIF says.

    Args:
        path: A file of any format that OpenCV reads.

    Returns:
        (H, W, 3) RGB, 8 bits.

    Raises:
        InputError: The file is missing or damaged, or by its header larger than any photo, which is
            known before memory is taken for it.
    """
    content = _content(path)
    size = image_size(content)
    if size is None:
        raise InputError(f"{path} is not an image that can be read")
    if size[0] * size[1] > _MOST_PIXELS:
        raise InputError(
            f"{path} is {size[0]}x{size[1]}, more than {_MOST_PIXELS} pixels;"
            " scale it down or remove it"
        )
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        image = None
    if image is None:
        raise InputError(f"{path} is not an image that can be read")
    return image.astype(np.uint8, copy=False)


def _content(path: Path) -> bytes:
    try:
        found = path.stat()
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path} is not a regular file; copy the image into one")
        if found.st_size > _LARGEST_FILE:
            raise InputError(f"{path} has more than {_LARGEST_FILE} bytes; scale it down")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def resize_photo(image: Image, height: int, width: int) -> Image:
    """Scale an image: by area when it shrinks, bicubic when it grows.

    Args:
        image: (H, W, 3), 8 bits.
        height: In pixels.
        width: In pixels.

    Returns:
        (height, width, 3), 8 bits; the image itself where it has that size.
    """
    if image.shape[:2] == (height, width):
        return image
    smaller = height * width < image.shape[0] * image.shape[1]
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(image, (width, height), interpolation=interpolation).astype(np.uint8)


def to_tensor(image: Image) -> torch.Tensor:
    """Convert an image to what networks take.

    Args:
        image: (H, W, 3) RGB of 0 to 255.

    Returns:
        (1, 3, H, W) float32 in [0, 1].
    """
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255.0


def add_noise(
    photos: torch.Tensor, deviation: float, generator: np.random.Generator
) -> torch.Tensor:
    """Add normal noise; the result is not clamped.

    Args:
        photos: Of any shape.
        deviation: Standard deviation of the noise.
        generator: Draws the noise.

    Returns:
        New images of that shape.
    """
    noise = torch.from_numpy(generator.standard_normal(tuple(photos.shape), np.float32))
    return photos + deviation * noise
