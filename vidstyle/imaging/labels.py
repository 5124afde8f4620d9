"""Labels on images: white letters on a dark box, legible whatever lies below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.letters import FINER, Letters, one_line

# Of the image's height: the size of letters where there is room, and the least one that is read.
_SIZE: Final = 1 / 20
_LEAST: Final = 9
# OpenCV's unit of size in pixels: the height from the top of a capital to the foot of a "g".
_UNIT: Final = 27.0
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
# How much of the image a box hides.
_BOX: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A text as pixels, drawn once for many frames."""

    text: str
    """What it shows."""
    whole: bool
    """False where the text was shortened in its middle to fit."""
    ink: HostArray
    """(h, w, 1): light that it adds, in [0, 1]."""
    through: HostArray
    """(h, w, 1): the part of the image that is seen through it."""


def make_label(text: str, *, width: int, height: int) -> Label:
    """Draw the label of an image.

    Letters take a twentieth of the image's height. They get smaller where the text is too wide, and
    where they would get too small to be read, dots stand for the middle of the text.

    Args:
        text: One line; line breaks become spaces.
        width: Pixels that the label has at most.
        height: Of the image, in pixels.

    Returns:
        The label. It is empty where not even dots fit.

    Raises:
        ValueError: The image is empty.
    """
    if width < 1 or height < 1:
        raise ValueError(f"a label needs an image, got {width}x{height}")
    words = one_line(text)
    size = max(_LEAST, round(height * _SIZE))
    while size > _LEAST and _box_width(words, size) > width:
        size -= 1
    shown = _shorten(words, size, width)
    ink = _draw(shown, size)[:height, :width, None]
    through = np.float32(1 - _BOX) * (1 - ink)
    return Label(shown, shown == words, ink, through)


def draw_label(image: HostArray, label: Label, *, left: int, top: int) -> None:
    """Draw a label into an image, in place; what lies outside of the image is left out.

    Args:
        image: (H, W, 3) RGB in [0, 1], which is changed.
        label: To draw.
        left: Column of its left edge; may be negative.
        top: Row of its upper edge; at least 0.
    """
    skipped = max(0, -left)
    target = image[top : top + label.ink.shape[0], left + skipped : left + label.ink.shape[1]]
    if left + label.ink.shape[1] <= 0 or not target.size:
        return
    part = slice(0, target.shape[0]), slice(skipped, skipped + target.shape[1])
    target *= label.through[part]
    target += label.ink[part]


def label_margin(height: int) -> int:
    """Compute the distance of labels from the edges of an image.

    Args:
        height: Of the image, in pixels.

    Returns:
        Pixels.
    """
    return max(2, round(height / 60))


def _padding(size: int) -> int:
    return max(2, round(size / 3))


def _box_width(text: str, size: int) -> int:
    return -(-_letters(size).width(text) // FINER) + 2 * _padding(size)


def _letters(size: int) -> Letters:
    return Letters(_FONT, size / _UNIT * FINER, max(1, round(size * FINER / 16)))


def _shorten(text: str, size: int, width: int) -> str:
    """The text, or its start and its end with dots between: both ends of a name tell it apart."""
    if _box_width(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        front = -(-kept // 2)
        shorter = f"{text[:front]}...{text[len(text) - (kept - front) :]}"
        if _box_width(shorter, size) <= width:
            return shorter
    return "..." if _box_width("...", size) <= width else ""


def _draw(text: str, size: int) -> HostArray:
    """The letters' coverage in their box, (h, w)."""
    if not text:
        return np.zeros((0, 0), np.float32)
    padding = _padding(size)
    width, height = _box_width(text, size), size + 2 * padding
    # The base line: a fifth of the letters' height hangs below.
    at = padding * FINER, round((padding + 0.8 * size) * FINER)
    return _letters(size).draw(text, (width, height), at)
