"""What counts as a clip: a video file, or a folder of images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.paths import IMAGE_SUFFIXES
from vidstyle.imaging.photo_file import holds_images
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.output_format import sink_for
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.path_patterns import PathPatterns
from vidstyle.runner.photos import why_photos
from vidstyle.runner.plan.naming import is_clip_name
from vidstyle.runner.storage.records import Records

FILE_SOURCE, FOLDER_SOURCE = "decode/pyav", "decode/images"

# A single image is a poster or a logo rather than a clip.
_FEWEST_IMAGES = 2

NO_CLIPS = "not clips"
OUTPUTS = "outputs of vidstyle"


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is no clip."""

    path: Path
    reason: str = NO_CLIPS
    """What it is, for a list of several."""


@dataclass(frozen=True, slots=True)
class FoundClips:
    """What a folder holds; paths begin with that of the folder."""

    clips: Sequence[Path]
    """Files and folders of images, sorted."""
    skipped: Sequence[Skipped]
    """What is no clip, but for what was left out as the user wants it."""
    unused: Sequence[str]
    """Patterns that match nothing."""
    reasons: Sequence[str] = ()
    """Why the images of folders count as photos, a line each, where that was to be found out."""


def find_clips(
    folder: Path,
    *,
    leave_out: Path,
    source: str = FILE_SOURCE,
    photos: bool | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> FoundClips:
    """The clips below a folder; hidden files are not seen, nor what is in hidden folders.

    A folder of images is one clip: it holds several images itself, which are numbered and of one
    size, and no video. Other images are photos, each a clip of one frame, but for those beside
    videos and a single one in a folder: where there are videos, these are posters and logos. Links
    to folders are followed. What vidstyle has made is no clip, unless there is nothing else.

    Args:
        folder: Where to look.
        leave_out: The folder of the outputs, which may lie inside.
        source: The stage that reads them: folders of images are clips for the built-in ones, and
            for ``decode/images`` videos are none.
        photos: Whether each image is a photo of its own; None to look at them.
        include: Patterns as in a .gitignore file; where there are some, a clip matches them.
        exclude: A clip does not match these.

    Raises:
        InputError: The folder is none, or there is no clip.
        UsageError: Both folders are one, a pattern is none, or the folder is named ``-``.
    """
    if not folder.is_dir():
        if str(folder) == "-":
            raise UsageError("- is not a folder; only `vidstyle run` reads standard input")
        raise InputError(f"{folder} is not a folder; `vidstyle run` takes single clips")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"the folder {folder} cannot be read")
    left_out = leave_out.resolve()
    if left_out == folder.resolve():
        raise UsageError(f"the output folder is the input folder: {folder}; choose another -o")
    patterns = PathPatterns(include), PathPatterns(exclude)
    walk = _Walk(left_out)
    finding = _Finding(folder, source, photos)
    for parent, files in walk.files(folder):
        finding.add(parent, files)
    clips, others = finding.end()
    outputs = {clip for clip in clips if Records(clip.parent).read(clip) is not None}
    if len(outputs) == len(clips):
        # Somebody wants to work on with them.
        outputs = set()
    wanted, unused = _chosen(sorted({*clips} - outputs), folder, *patterns)
    if not wanted:
        raise InputError(_nothing(folder, clips, source))
    skipped = [Skipped(path, OUTPUTS) for path in sorted(outputs)]
    skipped = [*map(Skipped, others), *walk.skipped, *skipped]
    return FoundClips(wanted, skipped, unused, tuple(finding.reasons))


def fitted(pipeline: Pipeline, path: Path, output: Path) -> Pipeline:
    """The pipeline that reads an input and writes an output.

    Images take another source than a video, and another sink. Options that both stages have stay.

    Args:
        pipeline: Its own source and sink count where they are neither for videos nor for images.
        path: Of the input.
        output: Its suffix says what is written.
    """
    first, *middle, last = pipeline.stages
    if first.use == FILE_SOURCE and holds_images(path):
        first = _replaced(first, FOLDER_SOURCE, pipeline.plugins)
    sink = sink_for(last.use, output.suffix.lower())
    if sink != last.use:
        last = _replaced(last, sink, pipeline.plugins)
    return replace(pipeline, stages=(first, *middle, last))


def _replaced(entry: StageEntry, use: str, plugins: Sequence[Path]) -> StageEntry:
    cls = Registry(plugins).find(use)
    options, defaults = entry.options, cls.Options()
    for name in type(options).model_fields.keys() & cls.Options.model_fields.keys():
        try:
            defaults = cls.Options(**{**defaults.model_dump(), name: getattr(options, name)})
        except ValidationError:
            # It is of that name, but means something else.
            continue
    return replace(entry, use=use, cls=cls, options=defaults, keyframes={})


class _Finding:
    """Separates clips from other files, folder by folder."""

    def __init__(self, root: Path, source: str, photos: bool | None) -> None:
        self._root, self._photos = root, photos
        self._reads_images = source in (FILE_SOURCE, FOLDER_SOURCE)
        self._reads_files = source != FOLDER_SOURCE
        self._clips: list[Path] = []
        self._others: list[Path] = []
        # Photos if there is no video anywhere.
        self._single: list[Path] = []
        self._videos = 0
        self.reasons: list[str] = []
        """See ``FoundClips``."""

    def add(self, parent: Path, files: Sequence[Path]) -> None:
        """Sort the files of one folder."""
        videos = [path for path in files if is_clip_name(path.name)]
        images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
        rest = [path for path in files if path not in {*videos, *images}]
        self._videos += len(videos)
        self._others += rest if self._reads_files else [*rest, *videos]
        self._clips += videos if self._reads_files else []
        if images:
            self._add_images(parent, images, beside_videos=bool(videos))

    def end(self) -> tuple[list[Path], list[Path]]:
        """The clips, and what is none."""
        (self._others if self._videos else self._clips).extend(self._single)
        return self._clips, self._others

    def _add_images(self, parent: Path, images: list[Path], *, beside_videos: bool) -> None:
        if not self._reads_images:
            self._others += images
        elif self._photos:
            self._clips += images
        elif beside_videos:
            self._others += images
        elif len(images) < _FEWEST_IMAGES:
            (self._others if self._photos is False else self._single).extend(images)
        elif self._photos is None and (reason := why_photos(parent, images)) is not None:
            self.reasons.append(reason)
            self._clips += images
        elif parent == self._root:
            # It is a clip itself, for `run`.
            self._others += images
        else:
            self._clips.append(parent)


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk through a folder and what is in it, links to other folders included."""

    left_out: Path
    """A folder that is passed by in silence, resolved."""
    skipped: list[Skipped] = field(default_factory=list)
    """What is neither a file nor a folder that can be read."""

    def files(
        self, folder: Path, above: tuple[Path, ...] = ()
    ) -> Iterator[tuple[Path, list[Path]]]:
        """Each folder with its files, in order.

        A link to nothing is a file where it is named as a clip. ``above`` are the folders in which
        the folder lies, resolved.
        """
        files: list[Path] = []
        folders: list[Path] = []
        for path in sorted(folder.iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_dir():
                folders.append(path)
            elif path.is_file() or (_leads_nowhere(path) and is_clip_name(path.name)):
                files.append(path)
            else:
                self.skipped.append(Skipped(path, _kind_of(path)))
        yield folder, files
        around = (*above, folder.resolve())
        for inside in folders:
            real = inside.resolve()
            if any(each.is_relative_to(real) for each in around):
                self.skipped.append(Skipped(inside, "links that lead back up"))
            elif not os.access(inside, os.R_OK | os.X_OK):
                self.skipped.append(Skipped(inside, "folders that cannot be read"))
            elif real != self.left_out:
                yield from self.files(inside, around)


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _kind_of(path: Path) -> str:
    """What it is, where it is no file and no folder, for a list of several."""
    if _leads_nowhere(path):
        return "links to nothing"
    if path.is_fifo():
        return "pipes"
    return "sockets" if path.is_socket() else "devices"


def _chosen(
    clips: Sequence[Path], folder: Path, include: PathPatterns, exclude: PathPatterns
) -> tuple[list[Path], list[str]]:
    """The clips that are wanted, and the patterns that match none."""
    paths = [(clip.relative_to(folder), clip.is_dir()) for clip in clips]
    wanted = [
        clip
        for clip, (below, is_folder) in zip(clips, paths, strict=True)
        if (not include or include.matches(below, is_folder=is_folder))
        and not exclude.matches(below, is_folder=is_folder)
    ]
    return wanted, [*include.unused(paths), *exclude.unused(paths)]


def _nothing(folder: Path, clips: Sequence[Path], source: str) -> str:
    """Why there is no clip."""
    if clips:
        return f"--include and --exclude leave none of {len(clips)} clips in {folder}"
    if any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.iterdir()):
        return (
            f"{folder} holds no clips; if it is one itself, pass it to `vidstyle run`, or pass"
            " --photos to stylize each image by itself"
        )
    if source == FOLDER_SOURCE:
        return f"{folder} holds no folders of images, which {source} reads"
    return f"{folder} holds no clips"
