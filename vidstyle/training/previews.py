"""Preview images of a training as files, and the growth of them as one sheet."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from vidstyle.core.errors import InputError, OutputError
from vidstyle.imaging.contact_sheet import SheetRow, contact_sheet
from vidstyle.training.photos import read_photo, resize_photo
from vidstyle.training.watch import STYLE_IMAGE, Image, TrainingStep

LATEST = "latest.png"
_NAME = re.compile(r"step-(\d{6,})-(.+)\.png")
_LARGEST = 512
"""Longer side in pixels of the style image that is kept beside the previews."""
_CELL = 256
"""Longer side in pixels of the images in the sheet."""
_COLUMNS = 6
"""Steps that the sheet shows, spread evenly over all of them."""


class PreviewImages:
    """Writes ``step-000500-NAME.png``, and ``latest.png``: each image over the steps.

    A resumed training continues the sheet. Images in the folder of steps that are yet to come are
    no part of it.

    Args:
        folder: Where the images go; it is created if needed.

    Raises:
        OutputError: The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[int, Path]] = {}
        """By name and step, of held-out photos."""
        self._started = self._changed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error

    def step(self, step: TrainingStep) -> None:
        if not self._started:
            self._started = True
            self._adopt(before=step.iteration)
        self._update()

    def image(self, iteration: int, name: str, image: Image) -> None:
        if name == STYLE_IMAGE:
            write_image(self._folder / f"{STYLE_IMAGE}.png", fit_image(image, _LARGEST))
            return
        path = self._folder / f"step-{iteration:06}-{name}.png"
        write_image(path, image)
        self._files.setdefault(name, {})[iteration] = path
        self._changed = True

    def close(self) -> None:
        self._update()

    def _adopt(self, *, before: int) -> None:
        """Take over what an earlier part of this training wrote."""
        for path in self._folder.glob("step-*-*.png"):
            if (match := _NAME.fullmatch(path.name)) and int(match[1]) < before:
                self._files.setdefault(match[2], {}).setdefault(int(match[1]), path)

    def _update(self) -> None:
        if self._changed:
            steps = self._chosen_steps()
            titles = [STYLE_IMAGE, *(f"step {step:,}" for step in steps)]
            write_image(self._folder / LATEST, contact_sheet(self._rows(steps), titles))
        self._changed = False

    def _chosen_steps(self) -> list[int]:
        steps = sorted({step for files in self._files.values() for step in files})
        chosen = np.linspace(0, len(steps) - 1, min(len(steps), _COLUMNS)).round().astype(int)
        return [steps[index] for index in chosen]

    def _rows(self, steps: list[int]) -> list[SheetRow]:
        """One a photo; the style image stands before the first."""
        rows: list[SheetRow] = []
        for _, files in sorted(self._files.items()):
            first = None if rows else _read(self._folder / f"{STYLE_IMAGE}.png")
            rows.append(SheetRow("", (first, *(_read(files.get(step)) for step in steps))))
        return rows


def _read(path: Path | None) -> Image | None:
    """An image for the sheet; a preview that somebody has removed does not stop a training."""
    if path is None:
        return None
    try:
        return fit_image(read_photo(path), _CELL)
    except InputError:
        return None


def fit_image(image: Image, side: int) -> Image:
    """Reduce an image, so that its longer side has at most so many pixels.

    Args:
        image: (H, W, 3) RGB, 8 bits.
        side: In pixels.

    Returns:
        The reduced image; the image itself where it is small enough.
    """
    longest = max(image.shape[:2])
    if longest <= side:
        return image
    height, width = (max(1, round(length * side / longest)) for length in image.shape[:2])
    return resize_photo(image, height, width)


def write_image(path: Path, image: Image) -> None:
    """Write an image in the format of the path's suffix, whole or not at all.

    Args:
        path: The file.
        image: (H, W, 3) RGB, 8 bits.

    Raises:
        OutputError: The format cannot hold the image, or the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        made, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        if not made:
            raise OutputError(f"cannot write {path}: {image.shape[1]}x{image.shape[0]} pixels")
        part.write_bytes(data.tobytes())
        part.replace(path)
    except cv2.error as error:
        raise OutputError(f"cannot write {path}: {error.err}") from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
