"""Several images in one, as ``layouts`` has it, on the planes of decoded frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.core.planes import PlaneFormat, Planes, Samples8, chroma_shape
from vidstyle.imaging.labels import Label, label_margin
from vidstyle.imaging.layouts import line_edges

PlaneSamples: TypeAlias = tuple[Samples8, Samples8, Samples8]
"""Luma, blue and red difference."""

# Code value of no color.
_NEUTRAL: Final = 128


def may_be_tiled(images: Sequence[Planes], columns: int) -> bool:
    """Whether images can stand beside one another as planes.

    Args:
        images: To be put into rows.
        columns: Images in a row.

    Returns:
        True where all have one size and format, and each begins with a whole chroma sample.
    """
    first = images[0]
    across, down = first.format.chroma
    height, width = first.luma.shape
    whole = (columns == 1 or width % across == 0) and (len(images) <= columns or height % down == 0)
    return whole and all(
        image.format == first.format and image.shape == first.shape for image in images
    )


def tile_decoded(images: Sequence[Planes], columns: int, labels: Sequence[Label]) -> PlaneSamples:
    """Put images into rows, each with its label, as ``tile_images`` does.

    Args:
        images: For which ``may_be_tiled`` is true; from left to right, then down.
        columns: Images in a row. What is left of the last row is black.
        labels: One an image, or none at all.

    Returns:
        New planes of the images' format.
    """
    form, (height, width) = images[0].format, images[0].luma.shape
    rows = -(-len(images) // columns)
    whole = _new_planes((rows * height, columns * width), form)
    for plane, black in zip(whole, (_levels(form)[0], _NEUTRAL, _NEUTRAL), strict=True):
        if len(images) < rows * columns:
            plane[:] = black
    for at, image in enumerate(images):
        for plane, samples in zip(whole, image.samples, strict=True):
            top, left = at // columns * samples.shape[0], at % columns * samples.shape[1]
            plane[top : top + samples.shape[0], left : left + samples.shape[1]] = samples
    margin = label_margin(height)
    for at, label in enumerate(labels):
        top, left = at // columns * height + margin, at % columns * width
        _draw_label(whole, form, label, left + margin, top, (left, left + width))
    return whole


def split_decoded(
    first: Planes, second: Planes, position: float, labels: Sequence[Label]
) -> PlaneSamples:
    """Show one image left of an upright line and another right of it, as ``split_images`` does.

    Args:
        first: The left one.
        second: Of the same size and format.
        position: Of the line, 0 (only the second image) to 1 (only the first).
        labels: Of the first and of the second, or none at all.

    Returns:
        New planes of the images' format.
    """
    form, (height, width) = first.format, first.luma.shape
    across = form.chroma[0]
    column = min(width, max(0, round(position * width)))
    whole = _new_planes((height, width), form)
    for plane, left, right in zip(whole, first.samples, second.samples, strict=True):
        # Chroma that belongs to both images lies below the line.
        edge = column if plane.shape[1] == width else -(-column // across)
        plane[:, :edge], plane[:, edge:] = left[:, :edge], right[:, edge:]
    if labels:
        margin = label_margin(height)
        at = width - margin - labels[1].ink.shape[1]
        _draw_label(whole, form, labels[0], margin, margin, (0, column))
        _draw_label(whole, form, labels[1], at, margin, (column, width))
    if 0 < column < width:
        _draw_line(whole, form, column)
    return whole


def _draw_line(planes: PlaneSamples, form: PlaneFormat, column: int) -> None:
    luma, *chroma = planes
    black, span = _levels(form)
    outer, inner = line_edges(luma.shape[1], column)
    luma[:, outer] = black
    luma[:, inner] = black + span
    across = form.chroma[0]
    for plane in chroma:
        plane[:, outer.start // across : -(-outer.stop // across)] = _NEUTRAL


def _draw_label(
    planes: PlaneSamples,
    form: PlaneFormat,
    label: Label,
    left: int,
    top: int,
    seen: tuple[int, int],
) -> None:
    """Draw a label in place; only the columns ``seen`` of it, from one to before the other."""
    luma, *chroma = planes
    begin = max(left, seen[0], 0)
    end = min(left + label.ink.shape[1], seen[1], luma.shape[1])
    bottom = min(top + label.ink.shape[0], luma.shape[0])
    if end <= begin or bottom <= top:
        return
    part = slice(0, bottom - top), slice(begin - left, end - left)
    ink, through = label.ink[part][..., 0], label.through[part][..., 0]
    black, span = _levels(form)
    target = luma[top:bottom, begin:end]
    target[:] = np.rint((target - np.float32(black)) * through + (black + span * ink))
    across, down = form.chroma
    rows = slice(top // down, -(-bottom // down))
    columns = slice(begin // across, -(-end // across))
    kept = _means(through, form, top % down, begin % across, rows, columns)
    for plane in chroma:
        hidden = plane[rows, columns]
        hidden[:] = np.rint((hidden - np.float32(_NEUTRAL)) * kept + np.float32(_NEUTRAL))


def _means(
    through: HostArray, form: PlaneFormat, below: int, right: int, rows: slice, columns: slice
) -> npt.NDArray[np.float32]:
    """What is seen through a label at each chroma sample; all is seen beside the label."""
    across, down = form.chroma
    height, width = rows.stop - rows.start, columns.stop - columns.start
    whole = np.ones((height * down, width * across), np.float32)
    whole[below : below + through.shape[0], right : right + through.shape[1]] = through
    size = (width, height)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)


def _new_planes(luma: tuple[int, int], form: PlaneFormat) -> PlaneSamples:
    chroma = chroma_shape(luma, form.chroma)
    return np.empty(luma, np.uint8), np.empty(chroma, np.uint8), np.empty(chroma, np.uint8)


def _levels(form: PlaneFormat) -> tuple[int, int]:
    """Code value of black, and by how much white exceeds it."""
    return (0, 255) if form.range == "full" else (16, 219)
