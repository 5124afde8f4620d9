"""Whether a name leads to something, also where no file system takes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Of files that are read as images, in any case.
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)


def is_file(path: Path) -> bool:
    """Return whether a path is a file, as ``Path.is_file`` does, for names of any length.

    Args:
        path: Any path.

    Returns:
        Whether it is; False, and no OSError, for a name that is too long.
    """
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, as ``Path.is_dir`` does, for names of any length.

    Args:
        path: Any path.

    Returns:
        Whether it is; False, and no OSError, for a name that is too long.
    """
    return os.path.isdir(path)  # noqa: PTH112


def names_file(value: Any) -> bool:
    """Return whether the value of an option is the path of a file, and no name or word.

    Args:
        value: Of any type.

    Returns:
        Whether it is a text with a folder or a suffix in it, and a file lies there.
    """
    return isinstance(value, str) and may_be_path(value) and is_file(Path(value))


def may_be_path(text: str) -> bool:
    """Return whether a text can be the path of a file, and not a name or word.

    Args:
        text: Of an option.

    Returns:
        Whether there is a folder or a suffix in it.
    """
    return os.sep in text or Path(text).suffix != ""
