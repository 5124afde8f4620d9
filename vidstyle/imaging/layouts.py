"""Several images in one: in rows and columns, split by a line, or their difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, get_args

import cv2
import numpy as np

from vidstyle.core.layers import HostArray
from vidstyle.imaging.labels import Label, draw_label, label_margin

Layout: TypeAlias = Literal["side-by-side", "stacked", "grid", "split", "difference"]
LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
PAIRS: Final = ("split", "difference")
"""Layouts of exactly two images."""


def layout_cells(layout: Layout, count: int) -> tuple[int, int]:
    """Compute how many images a layout has beside and below one another.

    Args:
        layout: The layout.
        count: Number of images.

    Returns:
        Columns and rows: 1 and 1 where images share one place. A grid has as many columns as rows,
        or one more.

    Raises:
        ValueError: There is no image, or the layout takes two and got another number.
    """
    if layout in PAIRS:
        if count != 2:
            raise ValueError(f"{layout} takes 2 images, got {count}")
        return 1, 1
    if count < 1:
        raise ValueError("a layout needs an image")
    if layout == "side-by-side":
        return count, 1
    if layout == "stacked":
        return 1, count
    columns = math.isqrt(count - 1) + 1
    return columns, -(-count // columns)


def tile_images(images: Sequence[HostArray], columns: int, labels: Sequence[Label]) -> HostArray:
    """Put images into rows, each with its label in its upper left corner.

    Args:
        images: Of one size, (H, W, 3); from left to right, then down.
        columns: Images in a row. What is left of the last row is black.
        labels: One an image, or none at all.

    Returns:
        (rows H, columns W, 3).
    """
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    whole = np.empty((rows * height, columns * width, 3), np.float32)
    margin = label_margin(height)
    for at in range(rows * columns):
        top, left = at // columns * height, at % columns * width
        cell = whole[top : top + height, left : left + width]
        if at >= len(images):
            cell[:] = 0
            continue
        cell[:] = images[at]
        if labels:
            draw_label(cell, labels[at], left=margin, top=margin)
    return whole


def split_images(
    first: HostArray, second: HostArray, position: float, labels: Sequence[Label]
) -> HostArray:
    """Show one image left of an upright line, and another right of it.

    The line is white between two black ones, so that it is seen on any image. A label is seen where
    its image is.

    Args:
        first: (H, W, 3); the left one.
        second: Of the same size.
        position: Of the line, 0 (only the second image) to 1 (only the first).
        labels: Of the first, in its upper left corner, and of the second, in its upper right one;
            or none at all.

    Returns:
        (H, W, 3).
    """
    height, width = first.shape[:2]
    column = min(width, max(0, round(position * width)))
    whole = np.empty_like(first)
    whole[:, :column], whole[:, column:] = first[:, :column], second[:, column:]
    if labels:
        margin = label_margin(height)
        right = width - margin - labels[1].ink.shape[1]
        draw_label(whole[:, :column], labels[0], left=margin, top=margin)
        draw_label(whole[:, column:], labels[1], left=right - column, top=margin)
    if 0 < column < width:
        _draw_line(whole, column)
    return whole


def amplify_difference(
    first: HostArray, second: HostArray, gain: float, labels: Sequence[Label]
) -> HostArray:
    """Compute the absolute difference of two images, amplified.

    Args:
        first: (H, W, 3).
        second: Of the same size.
        gain: Factor of the difference; what exceeds 1 is 1.
        labels: One for both, in the upper left corner, or none.

    Returns:
        (H, W, 3).
    """
    whole = np.asarray(cv2.absdiff(first, second), np.float32)
    whole *= np.float32(gain)
    np.minimum(whole, 1, out=whole)
    for label in labels:
        margin = label_margin(whole.shape[0])
        draw_label(whole, label, left=margin, top=margin)
    return whole


def line_width(width: int) -> int:
    """Compute the width of the white line of a split image.

    Args:
        width: Of the image, in pixels.

    Returns:
        Pixels, an even number.
    """
    return 2 * max(1, round(width / 640))


def line_edges(width: int, column: int) -> tuple[slice, slice]:
    """Compute the columns of the line of a split image.

    Args:
        width: Of the image, in pixels.
        column: The first one of the image on its right.

    Returns:
        Those of the line with its black edges, and those that are white.
    """
    half = line_width(width) // 2
    edge = max(1, half // 2)
    outer = slice(max(0, column - half - edge), min(width, column + half + edge))
    return outer, slice(max(0, column - half), min(width, column + half))


def _draw_line(image: HostArray, column: int) -> None:
    outer, inner = line_edges(image.shape[1], column)
    image[:, outer] = 0
    image[:, inner] = 1
