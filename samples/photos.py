"""Photos for previews of styles, out of the scikit-image package: public domain or CC0.

Licenses are as scikit-image states them in the documentation of ``skimage.data``. Only images
that lie inside its wheel are used, so no network is needed. vidstyle itself never loads this.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.errors import InputError

WIDTH, HEIGHT = 512, 384


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as scikit-image has it, and the part of it that is shown."""

    file: str
    title: str
    credit: str
    license: str
    corner: tuple[int, int]
    """Left and top of the part, in pixels."""
    width: int
    """Of the part, in pixels; it is three quarters as high."""

    def pixels(self) -> npt.NDArray[np.uint8]:
        """(384, 512, 3) RGB.

        Raises ``InputError`` where scikit-image or its file is missing or damaged.
        """
        left, top = self.corner
        part = read_image(self.file)[
            top : top + self.width * HEIGHT // WIDTH, left : left + self.width
        ]
        how = cv2.INTER_CUBIC if self.width < WIDTH else cv2.INTER_AREA
        shown = cv2.resize(part, (WIDTH, HEIGHT), interpolation=how)
        return np.asarray(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB), np.uint8)


PHOTOS = (
    Photo("astronaut.png", "Eileen Collins", "NASA Great Images", "public domain", (0, 0), 512),
    Photo("chelsea.png", "Chelsea the cat", "Stefan van der Walt", "CC0", (20, 0), 400),
    Photo(
        "coffee.png",
        "A cup of coffee",
        "Rachel Michetti, courtesy of Pikolo Espresso Bar",
        "CC0",
        (34, 0),
        532,
    ),
    Photo("rocket.jpg", "Falcon 9 with DSCOVR", "SpaceX", "public domain", (64, 43), 512),
)


def read_image(name: str) -> npt.NDArray[np.uint8]:
    """Read an image of scikit-image.

    Args:
        name: Of the file.

    Returns:
        The whole image, (H, W, 3) BGR.

    Raises:
        InputError: scikit-image or its file is missing or damaged.
    """
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise InputError(
            "the photos for previews come from scikit-image, which is not installed: "
            "pip install scikit-image"
        )
    path = Path(found.origin).parent / "data" / name
    stored = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
    image = cv2.imdecode(stored, cv2.IMREAD_COLOR) if stored.size else None
    if image is None:
        raise InputError(f"{path} is missing or damaged; install scikit-image 0.26 again")
    return np.asarray(image, np.uint8)
