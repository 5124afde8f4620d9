"""Whether a name leads to something, also where no file system takes it."""

from __future__ import annotations

import os
from pathlib import Path


def is_file(path: Path) -> bool:
    """As ``Path.is_file``, but False, and no OSError, for a name that is too long."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """As ``Path.is_dir``, but False, and no OSError, for a name that is too long."""
    return os.path.isdir(path)  # noqa: PTH112
