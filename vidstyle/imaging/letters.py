"""Text on images: OpenCV's letters, drawn finer than the image and then reduced.

OpenCV's own are coarse at the sizes at which an image has text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vidstyle.core.layers import HostArray

FINER: Final = 4
"""Fine pixels to a pixel, across and down."""


@dataclass(frozen=True, slots=True)
class Letters:
    """A font at a size."""

    font: int
    """One of OpenCV's ``FONT_HERSHEY``."""
    scale: float
    """OpenCV's, in fine pixels."""
    thickness: int
    """Of a stroke, in fine pixels."""

    def width(self, text: str) -> int:
        """Compute the width of a line.

        Args:
            text: As ``one_line`` gives it.

        Returns:
            Fine pixels.
        """
        return int(cv2.getTextSize(text, self.font, self.scale, self.thickness)[0][0])

    def draw(self, text: str, size: tuple[int, int], at: tuple[int, int]) -> HostArray:
        """Draw a line on an empty ground.

        Args:
            text: Of one line, as ``one_line`` gives it.
            size: Width and height of the ground, in pixels.
            at: Where the base line begins, in fine pixels from the left and from the top.

        Returns:
            (H, W): how much of each pixel the letters cover, in [0, 1].
        """
        width, height = size
        large = np.zeros((height * FINER, width * FINER), np.uint8)
        cv2.putText(large, text, at, self.font, self.scale, 255, self.thickness, cv2.LINE_AA)
        small = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
        return np.asarray(small * np.float32(1 / 255), np.float32)


def one_line(text: str) -> str:
    """Make a text that OpenCV can draw in a line.

    Args:
        text: Any; line breaks become spaces.

    Returns:
        The text. What is none, as in the name of a file in another encoding, becomes ``?``: OpenCV
        crashes on it.
    """
    return " ".join(text.encode("utf-8", "replace").decode().split())
