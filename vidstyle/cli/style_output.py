"""Where a style, or an image of styles, may be written: checked before the work, not after it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def check_new(path: Path, *, overwrite: bool, inputs: Iterable[Path]) -> None:
    """Raise OutputError where the file is there already or its folder is not, and UsageError
    where it is one of the command's inputs."""
    from vidstyle.runner.storage.destination import Destination

    for source in inputs:
        Destination(path, overwrite).check(source)
