"""Where outputs lie when only their folder, or nothing, is given."""

from __future__ import annotations

import mimetypes
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from vidstyle.core.errors import InputError, OutputError, UsageError
from vidstyle.core.paths import IMAGE_SUFFIXES

# Known to FFmpeg, but not to every machine's table of types.
_MORE_SUFFIXES = frozenset(
    (
        *(".264", ".265", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264"),
        *(".h265", ".hevc", ".ivf", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"),
        *(".mpg", ".mts", ".mxf", ".nut", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    )
)
# Stands in names of outputs for the suffix that a folder has not.
_IMAGES = ".images"

SuffixOf: TypeAlias = Callable[[Path], str]
"""The suffix of an input's output; empty for a folder of images."""


def output_paths(
    inputs: Sequence[Path],
    output: Path | None,
    suffix_of: SuffixOf,
    *,
    label: str,
    into: bool = False,
) -> list[tuple[Path, Path]]:
    """Each input with its output.

    Without ``output`` a clip ``in.mov`` becomes ``in-LABEL.mp4`` in the current folder. In an
    ``output`` that is a folder it has the name of ``output_name``; several inputs need one.
    ``suffix_of`` gives the suffix of an input's output. An empty one stands for a folder of images,
    so that one input's ``output`` is that folder itself. With ``into`` the ``output`` of one input
    is a folder as that of several is.

    Raises UsageError where two inputs would become one file, InputError where one is missing, and
    OutputError where ``output`` is no folder and does not look like one.
    """
    for path in inputs:
        check_there(path)
    advice = "rename or run them apart"
    if output is None:
        advice = "pass -o DIR, where the names of outputs differ as those of inputs do"
        pairs = [(path, Path(f"{path.stem}-{label}{suffix_of(path)}")) for path in inputs]
    elif len(inputs) > 1 or into or (_is_folder(output) and suffix_of(inputs[0])):
        if not _is_folder(output) and (output.exists() or output.suffix):
            raise OutputError(f"{output} is not a folder, which several inputs need")
        pairs = [(path, output / output_name(path, suffix_of(path))) for path in inputs]
    else:
        pairs = [(inputs[0], output)]
    _check_distinct([destination for _, destination in pairs], advice)
    return pairs


def mirrored_paths(
    clips: Sequence[Path], folder: Path, output: Path, suffix_of: SuffixOf
) -> list[Path]:
    """The same tree below ``output``, each clip with the name of ``output_name``.

    Raises UsageError where a folder of images would hold another output.
    """
    paths = [
        output / clip.relative_to(folder).with_name(output_name(clip, suffix_of(clip)))
        for clip in clips
    ]
    _check_distinct(paths, "rename or exclude one")
    taken = set(paths)
    for path in paths:
        if holder := next((parent for parent in path.parents if parent in taken), None):
            raise UsageError(f"{path} would lie in the output {holder}; rename or exclude one")
    return paths


def output_name(clip: Path, suffix: str) -> str:
    """The name of a clip's output in a folder; it depends on nothing but the clip's own name.

    A clip keeps its name, and gets the suffix where it has another one: ``a.mp4`` stays, and
    ``a.mov`` becomes ``a.mov.mp4``. So do names that would then mean two things, such as
    ``a.mov.mp4``, or ``a.ppm.png`` of a photo. What is a folder says so: the images of ``shot``
    become ``shot.images.mp4``, and ``a.mp4`` becomes the folder ``a.mp4.images``.

    Args:
        clip: A file, or a folder of images.
        suffix: Of the output; empty for a folder of images.

    Returns:
        The name. Those of two clips in one folder always differ.
    """
    if clip.is_dir() or not suffix:
        return f"{clip.name}{_IMAGES}{suffix}"
    twofold = clip.stem.endswith(_IMAGES) or is_clip_name(clip.stem)
    if clip.suffix.lower() in IMAGE_SUFFIXES:
        twofold = Path(clip.stem).suffix.lower() in IMAGE_SUFFIXES
    keeps = clip.suffix.lower() == suffix and not twofold
    return clip.name if keeps else f"{clip.name}{suffix}"


def is_clip_name(name: str) -> bool:
    """Whether a file of that name counts as a clip."""
    if Path(name).suffix.lower() in _MORE_SUFFIXES:
        return True
    kind = mimetypes.guess_type(name)[0] or ""
    return kind.startswith(("video/", "audio/")) or kind == "image/gif"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose another -o") from error


def check_there(path: Path) -> None:
    """Raise InputError where no file or folder has that name, and UsageError for ``-``."""
    try:
        there = path.exists()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the name") from error
    if there:
        return
    if str(path) == "-":
        raise UsageError("- is standard input, which only `vidstyle run` and `stabilize` read")
    # A path has lost the second slash of an address.
    if re.match(r"[a-z]+:/[^/]", str(path)):
        raise InputError(f"{path} is an address: download the file, and name that")
    raise InputError(f"{path}: no such file; check the name")


def _check_distinct(paths: Sequence[Path], advice: str) -> None:
    for path, count in Counter(paths).items():
        if count > 1:
            raise UsageError(f"{count} inputs would all become {path}; {advice}")
