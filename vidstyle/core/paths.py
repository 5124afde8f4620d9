"""Whether a name leads to something, also where no file system takes it."""

from __future__ import annotations

import os
from pathlib import Path


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
