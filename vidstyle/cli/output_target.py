"""What ``-o`` asks for: a file whose suffix chooses the writer, a folder, or names of images."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.cli.terminal import say
from vidstyle.core.paths import is_folder
from vidstyle.core.sink import MANIFEST
from vidstyle.imaging.photo_file import image_files, is_photo

if TYPE_CHECKING:
    from vidstyle.runner.config.changes import Change


@dataclass(frozen=True, slots=True)
class OutputTarget:
    """Where outputs go, and how the pipeline fits them."""

    path: Path | None
    """A file or folder; None where the user has named none."""
    suffix: str = ""
    """As ``load_pipeline`` takes it."""
    changes: Sequence[Change] = field(default_factory=tuple)
    """Of the pipeline."""
    into: bool = False
    """Whether outputs lie in ``path``, which is a folder, under the names of their inputs."""


def with_photos(
    inputs: Sequence[Path], photos: bool | None, output: str | None, pipeline: Path
) -> list[Path]:
    """The inputs, with the images of a folder in its place where these are photos.

    Args:
        inputs: Files and folders.
        photos: Whether images of folders are photos; None to look at them, unless the pipeline
            or the output's name asks for a clip.
        output: As typed.
        pipeline: Its file.
    """
    from vidstyle.runner.clips import FILE_SOURCE
    from vidstyle.runner.config.pipeline_file import read_pipeline_file
    from vidstyle.runner.photos import why_photos
    from vidstyle.stages.encode.containers import CONTAINERS

    folders = [path for path in inputs if is_folder(path) and os.access(path, os.R_OK | os.X_OK)]
    if photos is False or not folders:
        return list(inputs)
    if photos is None:
        name = Path(output or "")
        of_clip = name.suffix.lower() in CONTAINERS or "%" in name.name
        if of_clip or read_pipeline_file(pipeline).stages[0].use != FILE_SOURCE:
            return list(inputs)
    found: list[Path] = []
    for path in inputs:
        images = image_files(path) if path in folders else []
        reason = why_photos(path, images) if photos is None and images else None
        if reason is not None:
            say(f"{reason} (--no-photos takes them for one clip)")
        found += images if images and (photos or reason) else [path]
    return found


def parse_output(text: str | None, inputs: Sequence[Path], *, many: bool) -> OutputTarget:
    """Read ``-o``; ``many`` is whether the inputs are, or might be, several.

    ``frames/`` and ``frames/%04d.jpg`` are a folder of images of one clip; a folder that is there
    already, and was not written so, takes outputs under the names of their inputs.
    """
    photos = all(map(is_photo, inputs))
    still = ".png" if photos else ""
    if text is None:
        return OutputTarget(None, still)
    path = Path(text)
    if many:
        return OutputTarget(path, still, into=True)
    if "%" in path.name:
        return _numbered_photo(path) if photos else _named_images(path, text)
    if is_folder(path) or text.endswith(os.sep):
        images = not photos and (not path.exists() or (path / MANIFEST).exists())
        return OutputTarget(path, "/" if images else still, into=photos)
    return OutputTarget(path, path.suffix)


def _numbered_photo(path: Path) -> OutputTarget:
    """The file of a photo, which is frame 0 of a clip that has no other."""
    from vidstyle.stages.encode.images import are_image_names

    if are_image_names(path.name):
        path = path.with_name(path.name % 0)
    return OutputTarget(path, path.suffix)


def _named_images(path: Path, text: str) -> OutputTarget:
    from vidstyle.runner.config.changes import TypedOverride
    from vidstyle.stages.encode.image_format import IMAGE_FORMATS

    # Else it is a name with a percent sign in it.
    if path.suffix.lower() not in IMAGE_FORMATS:
        return OutputTarget(path, path.suffix)
    change = TypedOverride(f"encode.names={json.dumps(path.name)}", f"-o {text}")
    return OutputTarget(path.parent, "/", (change,))
