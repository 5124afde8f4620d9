"""Older outputs that fill in where the previous one did not show what is visible now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement, pixel_distance
from vidstyle.imaging.derived import double, halve
from vidstyle.imaging.warp import sample, targets

# Of a weight: what is less everywhere is not worth sampling a frame for.
_LITTLE = 0.02
# Pixels of half the frame's size that a path may end outside of the frame.
_MARGIN = 0.3

Memory: TypeAlias = Mapping[str, HostArray]
"""The last outputs, by their distance k: ``blended_k``, the halved sources ``source_k`` that they
were stylized from, and ``path_k``, (h, w, 2) at half size, from the frame before this one to k
before it."""

Filled: TypeAlias = tuple[HostArray, HostArray, HostArray]
"""A history: its image (H, W, 3), its halved source (h, w, 3) and its confidence (H, W)."""


def remember(before: Memory, blended: HostArray, source: HostArray, *, most: int) -> Memory:
    """Give the memory with the newest output, and without those older than ``most`` frames."""
    memory = {"blended_1": blended, "source_1": source}
    for distance in range(1, most):
        for name in ("blended", "source"):
            if f"{name}_{distance}" in before:
                memory[f"{name}_{distance + 1}"] = before[f"{name}_{distance}"]
    return memory


def extend_paths(before: Memory, flow: HostArray, *, most: int) -> Memory:
    """Give ``path_1`` to ``path_most`` of this frame: its flow, and the last paths from there."""
    step = halve(flow) * np.float32(0.5)
    paths, there = {"path_1": step}, targets(step)
    for distance in range(1, most):
        if f"path_{distance}" in before:
            onward = sample(before[f"path_{distance}"], *there)
            paths[f"path_{distance + 1}"] = step + onward
    return paths


def fill_from_anchors(
    memory: Memory, distances: Sequence[int], history: Filled, now: HostArray, *, tolerance: float
) -> Filled:
    """Fill a history from older outputs, the newest first.

    The weight of each is the confidence that it has beyond those before it.

    Args:
        memory: With the paths of this frame.
        distances: How many frames back to look.
        history: To be filled; it is not changed.
        now: (h, w, 3), the halved source of this frame.
        tolerance: Of the agreement of the sources.

    Returns:
        The filled history.

    References:
        Ruder, Dosovitskiy and Brox 2016, Artistic Style Transfer for Videos, equation 8.
    """
    image, source, confidence = history
    for distance in sorted(distances):
        if f"blended_{distance}" not in memory:
            continue
        path, found = _best_path(memory, distance, now, tolerance)
        more = double(found, *confidence.shape) - confidence
        np.maximum(more, 0, out=more)
        if more.max() < _LITTLE:
            continue
        full = double(path * np.float32(2), *confidence.shape)
        older = sample(memory[f"blended_{distance}"], *targets(full), kernel="cubic")
        image = _average(image, older, confidence, more)
        older_source = sample(memory[f"source_{distance}"], *targets(path))
        source = _average(source, older_source, halve(confidence), halve(more))
        confidence = confidence + more
    return image, source, confidence


def _best_path(
    memory: Memory, distance: int, now: HostArray, tolerance: float
) -> tuple[HostArray, HostArray]:
    """The way back that the sources agree on best, and their agreement, both at half size.

    A path that follows the flow frame by frame breaks where its content was hidden in between.
    What moves evenly, or not at all, is found by the straight way, or at the same position.
    """
    step = memory["path_1"]
    ways = [step * np.float32(distance), np.zeros_like(step)]
    if f"path_{distance}" in memory:
        ways.insert(0, memory[f"path_{distance}"])
    older = memory[f"source_{distance}"]
    best, found = ways[0], _agreement_along(ways[0], older, now, tolerance)
    for way in ways[1:]:
        agreed = _agreement_along(way, older, now, tolerance)
        better = agreed > found + np.float32(_LITTLE)
        best = np.where(better[..., np.newaxis], way, best)
        found = np.where(better, agreed, found)
    return best, found


def _agreement_along(
    path: HostArray, older: HostArray, now: HostArray, tolerance: float
) -> HostArray:
    """Agreement of ``now`` with ``older`` along a path, 0 outside of the frame."""
    columns, rows = targets(path)
    there = sample(older, columns, rows)
    height, width = columns.shape
    inside = cv2.bitwise_and(
        cv2.inRange(columns, -_MARGIN, width - 1 + _MARGIN),
        cv2.inRange(rows, -_MARGIN, height - 1 + _MARGIN),
    )
    agreed = agreement(pixel_distance(now, there), tolerance)
    return np.where(inside > 0, agreed, np.float32(0))


def _average(image: HostArray, other: HostArray, weight: HostArray, more: HostArray) -> HostArray:
    """The mean of two images with these weights."""
    part = more / np.maximum(weight + more, np.float32(1e-6))
    return np.asarray(image + part[..., np.newaxis] * (other - image))
