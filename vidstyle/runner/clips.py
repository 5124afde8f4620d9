"""What counts as a clip: a video file, or a folder of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidstyle.core.errors import InputError, UsageError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline
from vidstyle.runner.path_patterns import PathPattern
from vidstyle.runner.plan.naming import is_clip_name

FILE_SOURCE, FOLDER_SOURCE = "decode/pyav", "decode/images"

# A single image is a poster or a logo rather than a clip.
_FEWEST_IMAGES = 2


@dataclass(frozen=True, slots=True)
class FoundClips:
    """What a folder holds; paths begin with that of the folder."""

    clips: Sequence[Path]
    """Files and folders of images, sorted."""
    others: Sequence[Path]
    """Files that are no clips, but for those that were left out as the user wants it."""
    unused: Sequence[PathPattern]
    """Patterns that match nothing."""


def find_clips(
    folder: Path,
    *,
    leave_out: Path,
    source: str = FILE_SOURCE,
    include: Sequence[PathPattern] = (),
    exclude: Sequence[PathPattern] = (),
) -> FoundClips:
    """The clips below a folder; hidden files are not seen, nor what is in hidden folders.

    A folder of images is one clip: it holds several images itself, and no video.

    Args:
        folder: Where to look.
        leave_out: The folder of the outputs, which may lie inside.
        source: The stage that reads them: folders of images are clips for the built-in ones, and
            for ``decode/images`` files are none.
        include: Where there are some, a clip matches one of them.
        exclude: A clip matches none of them.

    Raises:
        InputError: The folder is none, or there is no clip.
        UsageError: Both folders are one.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; `vidstyle run` takes single clips")
    # It imports OpenCV, which only this needs.
    from vidstyle.stages.decode.image_file import SUFFIXES

    left_out = leave_out.resolve()
    if left_out == folder.resolve():
        raise UsageError(f"the output folder is the input folder: {folder}; choose another -o")
    clips: list[Path] = []
    others: list[Path] = []
    for parent, files in _files_by_folder(folder, left_out):
        videos = [path for path in files if is_clip_name(path.name)]
        images = [path for path in files if path.suffix.lower() in SUFFIXES]
        sequence = parent != folder and not videos and len(images) >= _FEWEST_IMAGES
        if sequence and source in (FILE_SOURCE, FOLDER_SOURCE):
            clips.append(parent)
            files = [path for path in files if path not in images]
        if source != FOLDER_SOURCE:
            clips += videos
            files = [path for path in files if path not in videos]
        others += files
    wanted, used = _chosen(sorted(clips), folder, include, exclude)
    if not wanted:
        raise InputError(_nothing(folder, clips, source))
    return FoundClips(wanted, others, [each for each in (*include, *exclude) if each not in used])


def reading(pipeline: Pipeline, path: Path) -> Pipeline:
    """The pipeline that reads an input: a folder of images takes another source than a file.

    Options that both sources have stay.
    """
    first, *others = pipeline.stages
    if first.use != FILE_SOURCE or not path.is_dir():
        return pipeline
    cls = Registry(pipeline.plugins).find(FOLDER_SOURCE)
    options = cls.Options(
        **{
            name: getattr(first.options, name)
            for name in type(first.options).model_fields.keys() & cls.Options.model_fields.keys()
        }
    )
    entry = replace(first, use=FOLDER_SOURCE, cls=cls, options=options, keyframes={})
    return replace(pipeline, stages=(entry, *others))


def _files_by_folder(folder: Path, left_out: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Each folder with its files, in order."""
    # A folder around the clips leaves nothing out.
    skipped = left_out if left_out.is_relative_to(folder.resolve()) else None
    files: list[Path] = []
    folders: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            folders.append(path)
        elif path.is_file():
            files.append(path)
    yield folder, files
    for inside in folders:
        # As a link that leads back up would, for ever.
        if inside.resolve() != skipped and not inside.is_symlink():
            yield from _files_by_folder(inside, left_out)


def _chosen(
    clips: Sequence[Path],
    folder: Path,
    include: Sequence[PathPattern],
    exclude: Sequence[PathPattern],
) -> tuple[list[Path], set[PathPattern]]:
    """The clips that are wanted, and the patterns that match some."""
    wanted, used = [], set[PathPattern]()
    for clip in clips:
        below, is_folder = clip.relative_to(folder), clip.is_dir()
        matching = {
            each for each in (*include, *exclude) if each.matches(below, is_folder=is_folder)
        }
        used |= matching
        if matching.isdisjoint(exclude) and (not include or not matching.isdisjoint(include)):
            wanted.append(clip)
    return wanted, used


def _nothing(folder: Path, clips: Sequence[Path], source: str) -> str:
    """Why there is no clip."""
    from vidstyle.stages.decode.image_file import SUFFIXES

    if clips:
        return f"--include and --exclude leave none of {len(clips)} clips in {folder}"
    if any(path.suffix.lower() in SUFFIXES for path in folder.iterdir()):
        return f"{folder} holds no clips; if it is one itself, pass it to `vidstyle run`"
    if source == FOLDER_SOURCE:
        return f"{folder} holds no folders of images, which {source} reads"
    return f"{folder} holds no clips"
