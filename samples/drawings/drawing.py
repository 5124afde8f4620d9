"""The drawings there are, and how they become files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2

from vidstyle.core.errors import OutputError, UsageError

from .fields import Image
from .mosaic import mosaic
from .pen_hatching import pen_hatching
from .stained_glass import stained_glass

CREDIT = "drawn by the vidstyle authors' own code"
LICENSE = "CC0"


class Draw(Protocol):
    """Draws (height, width, 3) RGB; stones, strokes and panes keep their size in pixels."""

    def __call__(self, height: int = ..., width: int = ..., seed: int = ...) -> Image: ...


@dataclass(frozen=True, slots=True)
class Drawing:
    """A style image, and what its style's card says of it."""

    name: str
    title: str
    draw: Draw
    credit: str = CREDIT
    license: str = LICENSE


DRAWINGS = {
    drawing.name: drawing
    for drawing in (
        Drawing("pen-hatching", "Hills in Reed Pen", pen_hatching),
        Drawing("mosaic", "Sun, Stars and Sea in Mosaic", mosaic),
        Drawing("stained-glass", "Poppies at Sunrise in Stained Glass", stained_glass),
    )
}


def write_drawings(
    folder: Path,
    names: Iterable[str] = tuple(DRAWINGS),
    *,
    height: int = 1024,
    width: int = 1280,
    seed: int = 0,
) -> list[Path]:
    """Draws each into ``folder``/NAME.png; gives the files.

    Raises ``UsageError`` for a name that is none, before anything is drawn, and ``OutputError``
    where the folder cannot be written.
    """
    wanted = list(names)
    for name in wanted:
        if name not in DRAWINGS:
            raise UsageError(f"there is no drawing {name!r}; there are {', '.join(DRAWINGS)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return [_write(folder / f"{n}.png", DRAWINGS[n].draw(height, width, seed)) for n in wanted]


def _write(path: Path, image: Image) -> Path:
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}: {error.strerror}; name another folder")
