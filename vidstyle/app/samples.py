"""What the page offers where it is given nothing: photos, style images and a clip that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
_PHOTOS: Final = {
    "chelsea.jpg": "Chelsea the cat",
    "astronaut.jpg": "Eileen Collins, astronaut",
    "coffee.jpg": "A cup of coffee",
    "rocket.jpg": "A rocket",
}
_STYLE_IMAGES: Final = {
    "stained-glass.jpg": "Stained glass",
    "mosaic.jpg": "Mosaic",
    "pen-hatching.jpg": "Pen hatching",
}
_CLIPS: Final = {"demo.mp4": "A cat and an astronaut, 5 seconds"}


def sample_photos(package: Path = _PACKAGE) -> dict[str, Path]:
    """Photos by their title; none where this installation lacks them."""
    return _present(package / "assets" / "photos", _PHOTOS)


def sample_style_images(package: Path = _PACKAGE) -> dict[str, Path]:
    """Style images by their title, likewise."""
    return _present(_folder(package) / "style_images", _STYLE_IMAGES)


def sample_clips(package: Path = _PACKAGE) -> dict[str, Path]:
    """Clips by their title, likewise."""
    return _present(_folder(package), _CLIPS)


def _folder(package: Path) -> Path:
    """Inside the installed package, or beside it in a checkout."""
    inside = package / "samples"
    return inside if inside.is_dir() else package.parent / "samples"


def _present(folder: Path, titles: dict[str, str]) -> dict[str, Path]:
    return {title: folder / name for name, title in titles.items() if (folder / name).is_file()}
