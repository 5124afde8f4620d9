"""The pipelines that come with vidstyle, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from vidstyle.core.errors import UsageError
from vidstyle.core.paths import is_file
from vidstyle.runner.config.suggest import abbreviate, did_you_mean

_PACKAGE = Path(__file__).parents[2]


def shipped_folder(package: Path = _PACKAGE) -> Path:
    """Their folder: inside the installed package, or beside it in a checkout."""
    inside = package / "pipelines"
    return inside if inside.is_dir() else package.parent / "pipelines"


def shipped_pipelines() -> Mapping[str, Path]:
    """The files by name, without suffix, sorted."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}


def pipeline_file(named: Path) -> Path:
    """The file behind a user's name for a pipeline: a file of that path, or a shipped one.

    A shipped pipeline has a bare name, such as ``temporal``. A name with a folder or a suffix is
    always a path. Raises UsageError for a bare name that is neither.
    """
    name = str(named)
    if not re.fullmatch(r"[\w-]+", name) or is_file(named):
        return named
    shipped = shipped_pipelines()
    if name not in shipped:
        beside = sorted(path.name for path in Path().glob("[!.]*.yaml"))
        raise UsageError(
            f"there is no file {abbreviate(name)}, and no pipeline of that name comes with"
            f" vidstyle.{did_you_mean(name, [*shipped, *beside])}"
        )
    return shipped[name]


def pipeline_summary(path: Path) -> str:
    """The first sentence of a pipeline's first comment; empty where it has none."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return re.split(r"(?<=\.)\s", " ".join(lines))[0]
