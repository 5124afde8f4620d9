"""The pipelines that come with vidstyle, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from vidstyle.core.errors import UsageError
from vidstyle.core.paths import is_file
from vidstyle.runner.config.suggest import did_you_mean, shown

_PACKAGE = Path(__file__).parents[2]


def shipped_folder(package: Path = _PACKAGE) -> Path:
    """Where they lie: in the installed package, or beside it in a checkout."""
    packed = package / "pipelines"
    return packed if packed.is_dir() else package.parent / "pipelines"


def shipped_pipelines() -> Mapping[str, Path]:
    """The files by name, without suffix; sorted."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}


def pipeline_file(named: Path) -> Path:
    """The file that somebody means who names a pipeline: a file of that path, or a shipped one.

    Shipped ones go by a bare name, such as ``temporal``. What has a folder or a suffix is a path,
    there or not. Raises UsageError for a bare name that is neither.
    """
    name = str(named)
    if not re.fullmatch(r"[\w-]+", name) or is_file(named):
        return named
    shipped = shipped_pipelines()
    if name not in shipped:
        beside = sorted(path.name for path in Path().glob("*.yaml"))
        raise UsageError(
            f"there is no file {shown(name)}, and no pipeline of that name comes with vidstyle."
            f"{did_you_mean(name, [*shipped, *beside])}"
        )
    return shipped[name]


def about(path: Path) -> str:
    """The first sentence of the comment that a pipeline begins with; empty without one."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return re.split(r"(?<=\.)\s", " ".join(lines))[0]
