"""Where a style, or a picture of styles, may be written: said before the work, not after it."""

from __future__ import annotations

from pathlib import Path


def check_new(path: Path, *, overwrite: bool) -> None:
    """Raise OutputError where the file is there already or its folder is not."""
    from vidstyle.core.errors import OutputError

    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; pass --overwrite to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; make it first")
