"""Where outputs lie when only their folder, or nothing, is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vidstyle.core.errors import InputError, OutputError, UsageError


def output_paths(
    inputs: Sequence[Path], output: Path | None, suffix: str, *, label: str
) -> list[tuple[Path, Path]]:
    """Each input with its output.

    Without ``output`` a clip ``in.mov`` becomes ``in-LABEL.mp4`` in the current folder. An
    ``output`` that is a folder takes ``in.mp4``; several inputs need one. An empty suffix
    stands for a folder of images, so that one input's ``output`` is that folder itself.

    Raises UsageError where two inputs would become one file, InputError and OutputError
    where an input or the folder is missing.
    """
    for path in inputs:
        _check_there(path)
    if output is None:
        pairs = [(path, Path(f"{path.stem}-{label}{suffix}")) for path in inputs]
    elif len(inputs) > 1 or (_is_folder(output) and suffix):
        if not _is_folder(output):
            raise OutputError(f"{output} is not a folder; several inputs need an existing one")
        pairs = [(path, output / f"{path.stem}{suffix}") for path in inputs]
    else:
        pairs = [(inputs[0], output)]
    _check_distinct([destination for _, destination in pairs])
    return pairs


def mirrored_paths(clips: Sequence[Path], folder: Path, output: Path, suffix: str) -> list[Path]:
    """The same tree below ``output``; where two clips would meet, both keep their old suffix.

    Raises UsageError where that does not tell them apart.
    """
    paths = [output / clip.relative_to(folder).with_suffix(suffix) for clip in clips]
    taken = Counter(paths)
    for number, clip in enumerate(clips):
        if taken[paths[number]] > 1 or _is_folder_of_another(paths[number], paths):
            paths[number] = paths[number].with_name(clip.name + suffix)
    _check_distinct(paths)
    return paths


def _is_folder_of_another(path: Path, paths: Sequence[Path]) -> bool:
    """Whether a folder of images would hold the output of another clip."""
    return any(path in other.parents for other in paths)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose another -o") from error


def _check_there(path: Path) -> None:
    try:
        there = path.exists()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the name") from error
    if not there:
        raise InputError(f"{path}: no such file; check the name")


def _check_distinct(paths: Sequence[Path]) -> None:
    for path, count in Counter(paths).items():
        if count > 1:
            raise UsageError(f"{count} inputs would all become {path}; rename or run them apart")
