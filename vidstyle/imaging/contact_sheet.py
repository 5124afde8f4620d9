"""A contact sheet: labeled images in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.imaging.letters import FINER, Letters, one_line

Image: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""

SHEET_WIDTH = 1920
"""Pixels that a sheet is wide at most, if its images are wrapped: what a screen shows whole."""
_PAPER = (250, 249, 247)
_INK, _FAINT = (38, 38, 38), (118, 116, 112)
_MARGIN, _GAP = 24, 12
# Heights in pixels of a line of a title, and of the strip below a row that has captions.
_LINE, _CAPTION = 22, 36
# Width of a column in pixels, so that words fit above small images.
_NARROWEST = 96
# Of the letters, in OpenCV's unit: capitals of about 11 pixels.
_SIZE = 0.46
_TITLE = Letters(cv2.FONT_HERSHEY_DUPLEX, _SIZE * FINER, FINER)
_TEXT = Letters(cv2.FONT_HERSHEY_SIMPLEX, _SIZE * FINER, FINER)


@dataclass(frozen=True, slots=True, eq=False)
class SheetRow:
    """The images of one row."""

    caption: str
    """Stands below the first one."""
    images: tuple[Image | None, ...]
    """One a column, of any size; None leaves its position empty."""
    labels: tuple[str, ...] = ()
    """Stand below the images, one a column, in place of the caption."""


def contact_sheet(rows: Sequence[SheetRow], titles: Sequence[str]) -> Image:
    """Draw rows of images below the columns' titles, on a light ground; images keep their size.

    Text that is too wide for its column ends in three dots.

    Args:
        rows: At least one.
        titles: One a column, or one for all of them; of several lines the first one is bold.

    Returns:
        (H, W, 3) RGB.

    Raises:
        ValueError: Rows have not as many images as there are titles, or as the first row, or there
            are none at all.
    """
    _check(rows, titles)
    count = len(rows[0].images)
    columns = _slices([_column_width(rows, at) for at in range(count)], _MARGIN, _GAP)
    head = _LINE * max(len(title.split("\n")) for title in titles) + _GAP // 2
    below = _CAPTION if any(row.caption or row.labels for row in rows) else _GAP
    lines = _slices([max(map(_height, row.images)) for row in rows], _MARGIN + head, below)
    foot = _MARGIN if below == _GAP else below
    sheet = np.empty((lines[-1].stop + foot, columns[-1].stop + _MARGIN, 3), np.uint8)
    sheet[:] = _PAPER
    heads = columns if len(titles) > 1 else [slice(_MARGIN, columns[-1].stop)]
    for title, column in zip(titles, heads, strict=True):
        _draw_title(sheet[_MARGIN : _MARGIN + head, column], title)
    for row, line in zip(rows, lines, strict=True):
        for image, column in zip(row.images, columns, strict=True):
            _draw_image(sheet[line, column], image)
        for text, column in zip(row.labels or (row.caption,), columns, strict=False):
            under = sheet[line.stop : line.stop + min(below, _LINE + 4), column]
            _draw_line(under, text, _FAINT, _TEXT)
    return sheet


def columns_within(width: int) -> int:
    """Count the columns of a sheet that is no wider than ``SHEET_WIDTH``.

    Args:
        width: Of an image, in pixels.

    Returns:
        At least 1.
    """
    return max(1, (SHEET_WIDTH - 2 * _MARGIN + _GAP) // (max(width, _NARROWEST) + _GAP))


def column_room(columns: int) -> int:
    """Compute how wide images of a sheet can be that is no wider than ``SHEET_WIDTH``.

    Args:
        columns: Of the sheet.

    Returns:
        Pixels.
    """
    return (SHEET_WIDTH - 2 * _MARGIN - _GAP * (columns - 1)) // columns


def wrap_row(images: Sequence[Image], labels: Sequence[str], columns: int) -> list[SheetRow]:
    """Put images in as many rows as they need, each with its label below it.

    Args:
        images: In order.
        labels: One an image.
        columns: Of a row.

    Returns:
        The rows; the last one is filled up with empty positions.
    """
    rows = []
    for start in range(0, len(images), columns):
        shown, named = images[start : start + columns], labels[start : start + columns]
        empty = columns - len(shown)
        rows.append(SheetRow("", (*shown, *[None] * empty), (*named, *[""] * empty)))
    return rows


def _slices(lengths: Sequence[int], start: int, gap: int) -> list[slice]:
    """Where things of these lengths lie in a row."""
    starts = accumulate((length + gap for length in lengths), initial=start)
    return [slice(first, first + length) for first, length in zip(starts, lengths, strict=False)]


def _column_width(rows: Sequence[SheetRow], column: int) -> int:
    return max(_NARROWEST, *(_width(row.images[column]) for row in rows))


def _check(rows: Sequence[SheetRow], titles: Sequence[str]) -> None:
    if not (rows and titles):
        raise ValueError("a contact sheet needs a row and a column at least")
    count = len(titles) if len(titles) > 1 else len(rows[0].images)
    for row in rows:
        if len(row.images) != count or not count:
            raise ValueError(f"{row.caption}: {len(row.images)} images, {len(titles)} titles")
        for image in row.images:
            if image is not None and (image.ndim != 3 or image.shape[2] != 3):
                raise ValueError(f"images are (H, W, 3), got {image.shape}")


def _width(image: Image | None) -> int:
    return 0 if image is None else image.shape[1]


def _height(image: Image | None) -> int:
    return 0 if image is None else image.shape[0]


def _draw_image(position: Image, image: Image | None) -> None:
    """In the middle of its position."""
    if image is None:
        return
    top, left = ((position.shape[axis] - image.shape[axis]) // 2 for axis in (0, 1))
    position[top : top + image.shape[0], left : left + image.shape[1]] = image


def _draw_title(position: Image, title: str) -> None:
    """At the foot of its position, so that titles of fewer lines stand near their images."""
    lines = title.split("\n")
    foot = position.shape[0] - _GAP // 2
    for number, line in enumerate(lines):
        top = foot - _LINE * (len(lines) - number)
        strip = position[top : top + _LINE]
        if number == 0:
            _draw_line(strip, line, _INK, _TITLE)
        else:
            _draw_line(strip, line, _FAINT, _TEXT)


def _draw_line(strip: Image, text: str, ink: tuple[int, int, int], letters: Letters) -> None:
    """One line of text in the middle of its strip."""
    height, width = strip.shape[:2]
    text = _shortened(one_line(text), letters, width * FINER)
    at = (width * FINER - letters.width(text)) // 2, round(0.7 * height * FINER)
    opaque = letters.draw(text, (width, height), at)[..., None]
    strip[:] = np.rint(strip + opaque * (np.array(ink) - strip)).astype(np.uint8)


def _shortened(text: str, letters: Letters, width: int) -> str:
    """The text, or its start and three dots, within a width in fine pixels."""
    if letters.width(text) <= width:
        return text
    lengths = range(len(text) - 1, -1, -1)
    shorter = (f"{text[:length]}..." for length in lengths)
    return next((each for each in shorter if letters.width(each) <= width), "")
