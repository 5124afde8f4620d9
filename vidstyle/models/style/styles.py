"""Styles by name: those that come with vidstyle, and those in the user's weights folder."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from vidstyle.core.errors import WeightsError
from vidstyle.core.paths import is_file
from vidstyle.models.style.style_file import SUFFIX

_IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
# Of the files that other projects keep networks in.
_CHECKPOINTS = (".pth", ".pt", ".model", ".ckpt", ".bin")


def find_style(name_or_path: str | Path, *folders: Path) -> Path:
    """Find the file of a style, by its name or by a path that ends in ``.safetensors``.

    A name is looked for in ``folders``, then in ``styles`` of the folder that ``VIDSTYLE_WEIGHTS``
    names, then among the shipped ones; the first one found counts.

    Args:
        name_or_path: What a user gives.
        *folders: Looked into first.

    Returns:
        The file.

    Raises:
        WeightsError: There is none, with the names that there are; or an image, or a checkpoint of
            another project, is given.
    """
    text = str(name_or_path)
    if is_image(text):
        raise WeightsError(
            f"{text} is an image, and a style file is wanted here: `vidstyle run --style` learns"
            " one from it, and `vidstyle styles train` one from it and your photos"
        )
    if text.lower().endswith(_CHECKPOINTS):
        raise WeightsError(
            f"{text} is no style file: where another project trained it, import it by `vidstyle"
            f" styles import {shlex.quote(text)} -o NAME{SUFFIX}`"
        )
    if text.endswith(SUFFIX) or os.sep in text:
        if is_file(path := Path(text)):
            return path
        raise WeightsError(f"there is no style file {text}")
    styles = list_styles(*folders)
    if text in styles:
        return styles[text]
    close = difflib.get_close_matches(text, styles, n=1)
    hint = f", did you mean {close[0]}?" if close else ""
    raise WeightsError(
        f"there is no style {text}{hint or ';'} available: {', '.join(styles) or 'none'}"
    )


def is_image(name: str) -> bool:
    """Return whether the name of a style is that of an image file, from which one is learned.

    Args:
        name: What a user gives.

    Returns:
        Whether it ends as names of images do.
    """
    return name.lower().endswith(_IMAGES)


def list_styles(*folders: Path) -> dict[str, Path]:
    """List all styles that ``find_style`` finds by name.

    Args:
        *folders: Looked into first.

    Returns:
        Files by name, in alphabetical order.
    """
    found: dict[str, Path] = {}
    # The last one written counts, and the first source is to win.
    for source in reversed(STYLE_SOURCES):
        found |= source()
    for folder in reversed(folders):
        found |= styles_in(folder)
    return dict(sorted(found.items()))


def styles_in(folder: Path) -> dict[str, Path]:
    """List the style files of a folder, which need not exist.

    Args:
        folder: Where to look.

    Returns:
        Files by name.
    """
    return {path.stem: path for path in folder.glob(f"*{SUFFIX}")}


def user_styles() -> dict[str, Path]:
    """The styles in the folder of weights that the user named, if any."""
    weights = os.environ.get("VIDSTYLE_WEIGHTS")
    return styles_in(Path(weights) / "styles") if weights else {}


def shipped_styles() -> Path:
    """The folder of the styles that come with vidstyle."""
    return _assets() / "styles"


def base_network(architecture: str, width: int) -> Path:
    """Return where the weights lie at which trainings of a network start.

    Args:
        architecture: A key of ``ARCHITECTURES``.
        width: Channels of the network's finest layers.

    Returns:
        A path; the file does not exist for every network.
    """
    return _assets() / "base" / f"{architecture}-{width}{SUFFIX}"


def _assets() -> Path:
    return Path(str(resources.files("vidstyle") / "assets"))


STYLE_SOURCES: tuple[Callable[[], dict[str, Path]], ...] = (
    user_styles,
    lambda: styles_in(shipped_styles()),
)
"""Where styles are sought by name; of two with the same name the first counts."""
