"""Shots are counted at cuts, chunks end at cuts where they can."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from vidstyle.runner.execution.parcel import Cell, Parcel
from vidstyle.runner.execution.stamp import Stamp


def stamped(cuts: list[int], *, least: int, most: int) -> list[tuple[int, int]]:
    stamp = Stamp(least, most)
    parcels = (
        Parcel(i, i, 1, Fraction(i), {"cut": Cell(np.asarray(float(cut), np.float32))})
        for i, cut in enumerate(cuts)
    )
    return [(parcel.shot, parcel.chunk) for parcel in map(stamp, parcels)]


def test_a_cut_on_the_first_frame_begins_no_second_shot() -> None:
    assert stamped([1, 0, 1], least=9, most=9) == [(0, 0), (0, 0), (1, 0)]


def test_a_chunk_ends_at_the_first_cut_after_enough_frames() -> None:
    cuts = [0, 1, 0, 0, 1, 0]
    assert [chunk for _, chunk in stamped(cuts, least=3, most=9)] == [0, 0, 0, 0, 1, 1]


def test_a_chunk_without_a_cut_ends_at_its_limit() -> None:
    assert [chunk for _, chunk in stamped([0] * 7, least=2, most=3)] == [0, 0, 0, 1, 1, 1, 2]


def test_without_shots_the_clip_is_one_shot() -> None:
    parcel = Parcel(0, 0, 1, Fraction(0), {})
    assert Stamp(1, 2)(parcel).shot == 0
