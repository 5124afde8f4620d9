"""The pipelines that come with vidstyle, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from mimetypes import guess_type
from operator import attrgetter
from pathlib import Path

from vidstyle.core.errors import UsageError
from vidstyle.core.paths import is_file
from vidstyle.runner.config.suggest import LONGEST, abbreviate, did_you_mean

_PACKAGE = Path(__file__).parents[2]


def shipped_folder(package: Path = _PACKAGE) -> Path:
    """Their folder: inside the installed package, or beside it in a checkout."""
    inside = package / "pipelines"
    return inside if inside.is_dir() else package.parent / "pipelines"


def shipped_pipelines() -> Mapping[str, Path]:
    """The files by name, without suffix, sorted."""
    return {
        path.stem: path for path in sorted(shipped_folder().glob("*.yaml"), key=attrgetter("stem"))
    }


def pipeline_file(named: Path) -> Path:
    """The file behind a user's name for a pipeline: a file of that path, or a shipped one.

    A shipped pipeline has a bare name, such as ``temporal``. A name with a folder or a suffix is
    always a path. Raises UsageError for a bare name that is neither, and for a clip.
    """
    name = str(named)
    if (guess_type(name)[0] or "").startswith(("video/", "audio/", "image/")):
        raise UsageError(
            f"{abbreviate(name)} is no pipeline, which comes first:"
            " `vidstyle run temporal input.mp4`"
        )
    if not is_bare(name) or is_file(named):
        return named
    shipped = shipped_pipelines()
    if name not in shipped:
        raise UsageError(no_such_pipeline(name, Path()))
    return shipped[name]


def is_bare(name: str) -> bool:
    """Whether it may name a shipped pipeline: it has no folder and no suffix."""
    return bool(re.fullmatch(r"[\w-]+", name))


def no_such_pipeline(name: str, folder: Path) -> str:
    """The message about a bare name that no pipeline has, where files are of that folder."""
    return (
        f"there is no pipeline {abbreviate(name)}.{_suggestion(name, shipped_pipelines(), folder)}"
        " A file of your own is named with its suffix, as in my.yaml."
    )


def _suggestion(name: str, shipped: Iterable[str], folder: Path) -> str:
    """The nearest of the shipped pipelines, else of the folder's files; and what ships."""
    guess, _, known = did_you_mean(name, shipped).partition(" Available:")
    if not guess:
        beside = sorted(path.name for path in folder.glob("[!.]*.yaml"))
        near = get_close_matches(f"{name[:LONGEST]}.yaml", beside, n=1, cutoff=0.8)
        guess = f" Did you mean the file {abbreviate(near[0])}?" if near else ""
    return f"{guess} Shipped:{known}"


def pipeline_summary(path: Path) -> str:
    """The first sentence of a pipeline's first comment; empty where it has none."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    # After "et al." comes a year.
    return re.split(r"(?<=\.)\s+(?=[A-Z])", " ".join(lines))[0]
