"""Preview frames on a contact sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vidstyle.imaging.contact_sheet import Image, column_room, contact_sheet, wrap_row

# Columns of a sheet to its rows, for images as wide as high.
_SHAPE: Final = 2.7


@dataclass(frozen=True, slots=True, eq=False)
class LabeledImage:
    """An image of a sheet."""

    label: str
    """Stands below it."""
    image: Image


def preview_sheet(images: Sequence[LabeledImage], title: str) -> Image:
    """Draw images in rows, on a sheet no wider than ``SHEET_WIDTH``; none is enlarged.

    Args:
        images: At least one; those of another shape are fitted into the room of the first.
        title: Above them.

    Returns:
        (H, W, 3) RGB.
    """
    height, width = images[0].image.shape[:2]
    count = len(images)
    columns = min(count, max(1, round(math.sqrt(count * _SHAPE * height / width))))
    room = column_room(columns)
    size = min(width, room), max(1, round(height * min(1, room / width)))
    fitted = [_fitted(each.image, size) for each in images]
    rows = wrap_row(fitted, [each.label for each in images], columns)
    return contact_sheet(rows, [title])


def _fitted(image: Image, room: tuple[int, int]) -> Image:
    """As large as fits, and not larger than it is."""
    height, width = image.shape[:2]
    scale = min(1.0, room[0] / width, room[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
