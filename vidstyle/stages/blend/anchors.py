"""Older outputs that stand in where the previous one did not show what is seen now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.agreement import agreement, pixel_distance
from vidstyle.imaging.derived import doubled, halved
from vidstyle.imaging.warp import sample, targets

_LITTLE = 0.02
# Of a weight: what is less everywhere is not worth sampling a frame for.
_INSIDE = 0.3
# Pixels of half the frame's size that a path may end outside of the frame.

Memory = Mapping[str, HostArray]
"""The last outputs, by their distance k: ``blended_k``, the halved sources ``source_k`` that they
were painted on, and ``path_k``, (h, w, 2) at half size, from the frame before this one to k before
it."""


def remembered(before: Memory, blended: HostArray, source: HostArray, *, far: int) -> Memory:
    """The memory that holds the newest output as well, and nothing older than ``far`` frames."""
    kept = {"blended_1": blended, "source_1": source}
    for distance in range(1, far):
        for name in ("blended", "source"):
            if f"{name}_{distance}" in before:
                kept[f"{name}_{distance + 1}"] = before[f"{name}_{distance}"]
    return kept


def longer_paths(before: Memory, flow: HostArray, *, far: int) -> Memory:
    """``path_1`` to ``path_far`` of this frame: its flow, and those of the last on from there."""
    step = halved(flow) * np.float32(0.5)
    paths, places = {"path_1": step}, targets(step)
    for distance in range(1, far):
        if f"path_{distance}" in before:
            onward = sample(before[f"path_{distance}"], *places)
            paths[f"path_{distance + 1}"] = step + onward
    return paths


class Anchors:
    """Fills the history of one frame from further back, the closest first.

    What the frames that are closer show already is not taken again: the weight of each anchor is
    what it has more than they have together (Ruder et al. 2016, equation 8).
    """

    def __init__(self, memory: Memory, distances: Sequence[int], *, tolerance: float) -> None:
        self._memory, self._tolerance = memory, tolerance
        self._distances = [k for k in sorted(distances) if f"blended_{k}" in memory]

    def fill(
        self, image: HostArray, carried: HostArray, confidence: HostArray, now: HostArray
    ) -> None:
        """Add what the anchors know to a history, in place.

        ``image`` (H, W, 3) is the history, ``trust`` (H, W) how far it can be trusted,
        ``carried`` (h, w, 3) the halved source of it, ``now`` (h, w, 3) that of the frame.
        """
        for distance in self._distances:
            path, found = self._best_path(distance, now)
            more = doubled(found, *confidence.shape) - confidence
            np.maximum(more, 0, out=more)
            if more.max() < _LITTLE:
                continue
            full = doubled(path * np.float32(2), *confidence.shape)
            older = sample(self._memory[f"blended_{distance}"], *targets(full), kernel="cubic")
            _mix(image, older, confidence, more)
            source = sample(self._memory[f"source_{distance}"], *targets(path))
            _mix(carried, source, halved(confidence), halved(more))
            confidence += more

    def _best_path(self, distance: int, now: HostArray) -> tuple[HostArray, HostArray]:
        """The way back that the sources agree on best, and how well, both at half size.

        Followed frame by frame it breaks where the place was hidden in between. What has moved
        evenly, or not at all, is found again by going straight there, or staying.
        """
        step = self._memory["path_1"]
        ways = [step * np.float32(distance), np.zeros_like(step)]
        if f"path_{distance}" in self._memory:
            ways.insert(0, self._memory[f"path_{distance}"])
        best, found = ways[0], self._agreement(distance, ways[0], now)
        for way in ways[1:]:
            agreed = self._agreement(distance, way, now)
            better = agreed > found + np.float32(_LITTLE)
            best = np.where(better[..., np.newaxis], way, best)
            found = np.where(better, agreed, found)
        return best, found

    def _agreement(self, distance: int, path: HostArray, now: HostArray) -> HostArray:
        columns, rows = targets(path)
        there = sample(self._memory[f"source_{distance}"], columns, rows)
        height, width = columns.shape
        inside = cv2.bitwise_and(
            cv2.inRange(columns, -_INSIDE, width - 1 + _INSIDE),
            cv2.inRange(rows, -_INSIDE, height - 1 + _INSIDE),
        )
        agreed = agreement(pixel_distance(now, there), self._tolerance)
        return np.where(inside > 0, agreed, np.float32(0))


def _mix(image: HostArray, other: HostArray, weight: HostArray, more: HostArray) -> None:
    """Make ``image`` the mean of itself and ``other`` with these weights, in place."""
    share = more / np.maximum(weight + more, np.float32(1e-6))
    image += share[..., np.newaxis] * (other - image)
