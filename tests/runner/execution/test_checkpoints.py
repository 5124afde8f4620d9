"""Shots are counted at cuts, chunks end at cuts where they can, and checkpoints are whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from vidstyle.core import Frame
from vidstyle.core.source import Mark
from vidstyle.runner.execution.checkpoints import (
    CheckpointParts,
    Checkpoints,
    ChunkNumbering,
    PauseRule,
)
from vidstyle.runner.storage.checkpoint import ChunkPosition, Clock, StageState

CLOCK = Clock(Fraction(0), Fraction(1, 3))
STATE = StageState(None, 0, ())


def cut_at(cuts: Sequence[int]) -> Iterator[Frame]:
    for index, cut in enumerate(cuts):
        yield Frame(index, index, 1, {"cut": np.asarray(float(cut), np.float32)})


def numbered(cuts: list[int], *, least: int, most: int) -> list[tuple[int, int]]:
    frames = ChunkNumbering((least, most)).run(cut_at(cuts))
    return [(frame.shot, frame.chunk) for frame in frames]


def test_a_cut_on_the_first_frame_begins_no_second_shot() -> None:
    assert numbered([1, 0, 1], least=9, most=9) == [(0, 0), (0, 0), (1, 0)]


def test_a_chunk_ends_at_the_first_cut_after_enough_frames() -> None:
    cuts = [0, 1, 0, 0, 1, 0]
    assert [chunk for _, chunk in numbered(cuts, least=3, most=9)] == [0, 0, 0, 0, 1, 1]


def test_a_chunk_without_a_cut_ends_at_its_limit() -> None:
    assert [chunk for _, chunk in numbered([0] * 7, least=2, most=3)] == [0, 0, 0, 1, 1, 1, 2]


def test_without_shots_the_clip_is_one_shot() -> None:
    assert [frame.shot for frame in ChunkNumbering((1, 2)).run([Frame(0, 0, 1, {})])] == [0]


def test_numbering_resumes_where_another_stood() -> None:
    cuts = [0, 1, 0, 0, 1, 0]
    position = ChunkPosition(shot=1, chunk=0, in_chunk=3)
    again = ChunkNumbering((3, 9), position=position).run(list(cut_at(cuts))[3:])
    assert [(frame.shot, frame.chunk) for frame in again] == numbered(cuts, least=3, most=9)[3:]


def marked(checkpoints: Checkpoints, count: int) -> Iterator[Frame]:
    """Frames as the reader gives them: each but the first may have a checkpoint."""
    for index in range(count):
        if index:
            checkpoints[index] = CheckpointParts(partial(Mark, index - 1, index - 1, ()))
        yield Frame(index, index, 1, {}, checkpoint=index > 0)


@pytest.mark.parametrize(("every", "wanted"), [(1000.0, [3, 6]), (0.0, [1, 2, 3, 4, 5, 6])])
def test_checkpoints_are_kept_where_a_chunk_begins_and_at_pauses(
    every: float, wanted: list[int]
) -> None:
    checkpoints: Checkpoints = {}
    numbering = ChunkNumbering((3, 3), checkpoints, PauseRule(every=every))
    kept = []
    for frame in numbering.run(marked(checkpoints, 7)):
        if frame.checkpoint:
            checkpoints[frame.index].states["blend"] = STATE
            kept.append(frame.index)
    assert kept == wanted == list(checkpoints)
    found = [parts.whole(1, CLOCK) for parts in checkpoints.values()]
    assert [c.mark.index for c in found if c is not None] == [index - 1 for index in wanted]
    assert [c.position.in_chunk for c in found if c is not None][-1] == 3


def test_a_checkpoint_without_the_state_of_every_stage_is_none() -> None:
    parts = CheckpointParts(lambda: Mark(3, 3, ()), {"flow": STATE}, ChunkPosition())
    assert parts.whole(2, CLOCK) is None
    assert parts.whole(1, CLOCK) is not None
