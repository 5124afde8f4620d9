"""Which files of a folder are clips."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from vidstyle.core.errors import InputError, UsageError

# Known to FFmpeg, but not to every machine's table of types.
_MORE_SUFFIXES = frozenset(
    [
        ".264",
        ".265",
        ".3gp",
        ".asf",
        ".avi",
        ".divx",
        ".dv",
        ".f4v",
        ".flv",
        ".h264",
        ".h265",
        ".hevc",
        ".ivf",
        ".m2ts",
        ".m2v",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".nut",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
        ".y4m",
    ]
)


def find_clips(folder: Path, *, leave_out: Path) -> tuple[list[Path], list[Path]]:
    """Clips below the folder, sorted, and the files that are not; hidden ones are not seen.

    ``leave_out`` is the folder of the outputs, which may lie inside. Raises InputError where
    the folder is none or holds no clip, UsageError where both folders are one.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; `vidstyle run` takes single clips")
    left_out = leave_out.resolve()
    if left_out == folder.resolve():
        raise UsageError(f"the output folder is the input folder: {folder}; choose another -o")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not _is_left_out(path, left_out, folder)
    )
    clips = [path for path in files if _is_clip(path)]
    if not clips:
        raise InputError(f"{folder} holds no clips")
    return clips, [path for path in files if not _is_clip(path)]


def _is_left_out(path: Path, output: Path, folder: Path) -> bool:
    """Outputs in a folder inside are not clips; a folder around the clips leaves nothing out."""
    inside = output.is_relative_to(folder.resolve())
    return inside and output in path.resolve().parents


def _is_clip(path: Path) -> bool:
    if path.suffix.lower() in _MORE_SUFFIXES:
        return True
    kind = mimetypes.guess_type(path.name)[0] or ""
    return kind.startswith(("video/", "audio/")) or kind == "image/gif"
