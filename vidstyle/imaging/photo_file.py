"""Which files are one image: by their names, but for animations."""

from __future__ import annotations

from pathlib import Path

from vidstyle.core.paths import IMAGE_SUFFIXES, is_folder

_PNG = b"\x89PNG\r\n\x1a\n"
# More chunks than a PNG has before its image.
_MOST_CHUNKS = 100


def is_photo(path: Path) -> bool:
    """Return whether a path is that of one image by its suffix, and no folder.

    An animated PNG is a clip, which FFmpeg reads. It does not read an animated WebP, which is one
    image.

    Args:
        path: Any path.

    Returns:
        Whether it is.
    """
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES or is_folder(path):
        return False
    return suffix != ".png" or not is_animated_png(path)


def holds_images(path: Path) -> bool:
    """Return whether a path is a folder, or that of one image: ``decode/images`` reads it.

    Args:
        path: Any path.

    Returns:
        Whether it is.
    """
    return is_folder(path) or is_photo(path)


def image_files(folder: Path) -> list[Path]:
    """List the images of a folder, by their suffixes; hidden files are left out.

    Args:
        folder: Is one.

    Returns:
        The files, sorted by name.

    Raises:
        OSError: The folder cannot be read.
    """
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
    )


def is_animated_png(path: Path) -> bool:
    """Return whether a file is a PNG with several images: it has the chunk ``acTL``.

    Args:
        path: Any path.

    Returns:
        Whether it is; False where it cannot be read.

    References:
        Portable Network Graphics (PNG) Specification, third edition, 11.3.6.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_PNG)) != _PNG:
                return False
            for _ in range(_MOST_CHUNKS):
                head = file.read(8)
                if len(head) < 8 or head[4:] == b"IDAT":
                    return False
                if head[4:] == b"acTL":
                    return True
                file.seek(int.from_bytes(head[:4]) + 4, 1)
    except OSError:
        pass
    return False
