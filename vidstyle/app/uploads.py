"""Files of people: kept on disk under names of ours, decoded by nobody but a command."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from vidstyle.app.plain_text import on_one_line, shortened
from vidstyle.core.errors import InputError
from vidstyle.imaging.image_size import image_size

Kind = Literal["image", "clip"]
ORIGINAL = "original"
"""The name of every upload, in a folder of its own: no letter of it comes from a browser."""
_MOST_PIXELS = 64_000_000
"""Of an uploaded image: more than cameras have, and no gigabytes once it is decoded."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody has given."""

    name: str
    """As it is shown; never part of a path."""
    path: Path


class UploadFolder:
    """The uploads of one tab; nobody else can read the folder."""

    def __init__(self, parent: Path) -> None:
        self.path = parent / uuid.uuid4().hex
        self.path.mkdir(mode=0o700)

    def keep(self, name: str, content: BinaryIO, *, kind: Kind, most_bytes: int) -> Upload:
        """Copy a file. Raises InputError for one that is too large, empty or no image."""
        shown = shortened(on_one_line(name))
        folder = self.new()
        path = folder / ORIGINAL
        try:
            _copy(content, path, shown, most_bytes)
            if kind == "image":
                _check_image(path, shown)
        except InputError:
            shutil.rmtree(folder)
            raise
        return Upload(shown, path)

    def new(self) -> Path:
        """An empty folder in it."""
        path = self.path / uuid.uuid4().hex
        path.mkdir(mode=0o700)
        return path

    def remove(self) -> None:
        """All that is in it, and itself."""
        shutil.rmtree(self.path, ignore_errors=True)


def _copy(content: BinaryIO, path: Path, shown: str, most_bytes: int) -> None:
    size = 0
    with path.open("xb") as file:
        while block := content.read(2**20):
            size += file.write(block)
            if size > most_bytes:
                raise InputError(
                    f"{shown} is larger than {most_bytes / 2**20:.0f} MiB: make it smaller, or"
                    " start the page with a larger --max-upload"
                )
        if not size:
            raise InputError(f"{shown} is empty: choose another file")


def _check_image(path: Path, shown: str) -> None:
    """By its header alone."""
    size = image_size(path.read_bytes())
    if size is None:
        raise InputError(f"{shown} is not an image that can be read: choose a PNG or JPEG")
    if size[0] * size[1] > _MOST_PIXELS:
        raise InputError(f"{shown} is {size[0]}x{size[1]}: make it smaller")
