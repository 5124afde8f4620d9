"""Styles learned from images, kept in the user's cache: found by content, learned by one process.

Usable without torch until something is to be learned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vidstyle.core.errors import InputError, OutputError, WeightsError
from vidstyle.models.optimization.style_image_file import check_style_image
from vidstyle.models.style.style_file import SUFFIX, read_style_info
from vidstyle.models.style.styles import shipped_styles, styles_in
from vidstyle.models.weights.download import checksum_file, sha256_of, user_cache
from vidstyle.models.weights.safetensors_file import read_metadata
from vidstyle.training import learn_style
from vidstyle.training.settings import TrainingSettings

_DIGITS = 32


@dataclass(frozen=True, slots=True)
class ImageStyle:
    """A style that is learned from images, whether or not it has been."""

    images: tuple[Path, ...]
    settings: TrainingSettings
    path: Path
    """The style file, in the user's cache."""

    @property
    def checkpoint(self) -> Path:
        """What an interrupted training has left."""
        return self.path.with_suffix(".checkpoint")

    @property
    def named(self) -> str:
        """The images as they were given, for messages."""
        return ", ".join(map(str, self.images))

    def is_learned(self) -> bool:
        """Whether the file is there, whole and of this version."""
        try:
            stated = checksum_file(self.path).read_text(errors="replace")[:64]
            if stated != sha256_of(self.path):
                return False
            read_style_info(self.path)
        except (OSError, WeightsError):
            return False
        return True

    def steps_taken(self) -> int:
        """How far an interrupted training has come; 0 where there was none."""
        try:
            return int(read_metadata(self.checkpoint)["iteration"])
        except (KeyError, ValueError, WeightsError):
            return 0


def find_image_style(images: Sequence[Path]) -> ImageStyle:
    """Find where the style of images lies, or will lie.

    The name is a hash of the images' content, the settings and the network at which trainings
    start. Names, order and places of the images do not count. Nor does the loss network: a style
    that is there is not learned again because other weights have come.

    Args:
        images: At least one file.

    Returns:
        The style.

    Raises:
        InputError: An image is missing, is no image by its header, or too large.
        WeightsError: The user has no home folder.
    """
    for image in images:
        check_style_image(image)
    # In this order they are learned: an image has one style, whatever the order of options.
    found = sorted((_digest(image), image) for image in dict.fromkeys(images))
    settings = learn_style.ON_THE_SPOT
    # One of these is where the training starts.
    starts = sorted(styles_in(shipped_styles()).values())
    parts = [
        learn_style.RECIPE,
        settings.model_dump_json(),
        [sha256_of(start) for start in starts],
        [digest for digest, _ in found],
    ]
    name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGITS]
    path = user_cache("styles") / f"{name}{SUFFIX}"
    return ImageStyle(tuple(image for _, image in found), settings, path)


def learn_once(
    style: ImageStyle, learn: Callable[[], None], *, wait: Callable[[], None] | None = None
) -> None:
    """Learn a style, unless it is there or another process learns it, which is waited for.

    Args:
        style: From ``find_image_style``.
        learn: Writes the file.
        wait: Called once where there is another process.

    Raises:
        OutputError: The cache cannot be written.
        Exception: What ``learn`` raises.
    """
    with _locked(style.path, wait or _ignore):
        if style.is_learned():
            return
        learn()
        try:
            checksum = f"{sha256_of(style.path)}  {style.path.name}\n"
            checksum_file(style.path).write_text(checksum)
        except OSError as error:
            raise _unwritable(style.path.parent, error) from error


@contextmanager
def _locked(path: Path, wait: Callable[[], None]) -> Generator[None, None, None]:
    """The lock's file stays, as that of a download does. The system frees a killed process's."""
    lock = FileLock(path.with_name(f".{path.stem}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            wait()
            lock.acquire()
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    try:
        yield
    finally:
        lock.release()


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot keep styles in {folder} ({error.strerror or error}): set VIDSTYLE_CACHE to a"
        " folder that can be written"
    )


def _digest(image: Path) -> str:
    try:
        return sha256_of(image)
    except OSError as error:
        raise InputError(f"cannot read {image}: {error.strerror or error}") from error


def _ignore() -> None:
    return None
