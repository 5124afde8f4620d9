"""Which outlying pixels are specks, and which are points of a stroke."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vidstyle.core.layers import HostArray
from vidstyle.imaging.visibility import BoolMask

# Pixels on each side of an outlier that count. A speck ends before the outermost.
_RADIUS = 3
# Neighbors that differ by more, in some channel, do not belong together.
_SAME = 0.15
# How many times the mean step between the neighbors around it a speck stands out by. Networks
# make sharp highlights and outlines, but among others that are as sharp.
_OUT_OF_SCALE = 2.0

_Indices: TypeAlias = npt.NDArray[np.intp]
# Rows and columns to half of a pixel's neighbors; the other half are the same steps back.
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


def specks(image: HostArray, outliers: BoolMask) -> BoolMask:
    """Find the outliers that are isolated, with what is of one piece with them.

    A speck is an area of up to 3x3 pixels whose every neighbor differs from it by more than 0.15
    in some channel, and by more than twice the mean step between neighbors in the 7x7 pixels
    around it. What is longer is a line, an outline or the edge of a stroke, and what is no
    sharper than its surroundings is texture. The cost grows with the number of outliers.

    Args:
        image: (H, W, 3) in [0, 1], finite.
        outliers: (H, W), True where a pixel may be a speck.

    Returns:
        (H, W), True in specks.
    """
    found = np.zeros_like(outliers)
    rows, columns = np.nonzero(outliers)
    if not rows.size:
        return found
    steps = _steps(_patches(image, rows, columns))
    piece = _pieces([step <= _SAME for step in steps])
    isolated = _ends_inside(piece) & _stands_out(piece, steps)
    which, down, across = np.nonzero(piece[isolated])
    y, x = rows[isolated][which] + down - _RADIUS, columns[isolated][which] + across - _RADIUS
    inside = (y >= 0) & (x >= 0) & (y < outliers.shape[0]) & (x < outliers.shape[1])
    found[y[inside], x[inside]] = True
    return found


def _patches(image: HostArray, rows: _Indices, columns: _Indices) -> HostArray:
    """(N, 7, 7, 3): what is around each pixel, mirrored at the image's edge."""
    margin = ((_RADIUS, _RADIUS), (_RADIUS, _RADIUS), (0, 0))
    padded = np.pad(image, margin, mode="reflect")
    window = np.arange(2 * _RADIUS + 1)
    y = rows[:, np.newaxis, np.newaxis] + window[:, np.newaxis]
    x = columns[:, np.newaxis, np.newaxis] + window
    return np.asarray(padded[y, x], np.float32)


def _steps(patches: HostArray) -> list[HostArray]:
    """The largest difference of a channel between neighbors, for each of ``_STEPS``."""
    differences = []
    for step in _STEPS:
        here, there = _both_ends(step)
        gap = np.abs(patches[here] - patches[there])
        differences.append(np.maximum(np.maximum(gap[..., 0], gap[..., 1]), gap[..., 2]))
    return differences


def _both_ends(step: tuple[int, int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The pixels of patches that have a neighbor in that direction, and those neighbors."""
    down, across = step
    every = slice(None)
    rows = slice(0, -1 if down else None), slice(down, None)
    if across < 0:
        return (every, rows[0], slice(1, None)), (every, rows[1], slice(0, -1))
    return (
        (every, rows[0], slice(0, -1 if across else None)),
        (every, rows[1], slice(across, None)),
    )


def _pieces(together: list[BoolMask]) -> BoolMask:
    """(N, 7, 7): the pixels that the middle one is of one piece with."""
    side = 2 * _RADIUS + 1
    piece = np.zeros((len(together[0]), side, side), np.bool_)
    piece[:, _RADIUS, _RADIUS] = True
    growing = np.arange(len(piece))
    while growing.size:
        before = piece[growing]
        after = _grown(before, [links[growing] for links in together])
        piece[growing] = after
        # One that reaches the end of its patch is a stroke, wherever else it leads.
        growing = growing[(after != before).any((1, 2)) & _ends_inside(after)]
    return piece


def _grown(piece: BoolMask, together: list[BoolMask]) -> BoolMask:
    grown = piece.copy()
    for step, links in zip(_STEPS, together, strict=True):
        here, there = _both_ends(step)
        grown[here] |= piece[there] & links
        grown[there] |= piece[here] & links
    return grown


def _ends_inside(piece: BoolMask) -> BoolMask:
    frame = piece[:, [0, -1]].any((1, 2)) | piece[:, :, [0, -1]].any((1, 2))
    return np.logical_not(frame)


def _stands_out(piece: BoolMask, steps: list[HostArray]) -> BoolMask:
    """Whether the least step out of the piece is out of scale with the mean one around it."""
    count = len(piece)
    least = np.full(count, np.inf, np.float32)
    total, number = np.zeros(count), np.zeros(count)
    for step, size in zip(_STEPS, steps, strict=True):
        here, there = (piece[end] for end in _both_ends(step))
        least = np.minimum(least, np.where(here != there, size, np.inf).min((1, 2)))
        around = ~(here | there)
        total += (size * around).sum((1, 2))
        number += around.sum((1, 2))
    return np.asarray(least * np.maximum(number, 1) > _OUT_OF_SCALE * total, np.bool_)
