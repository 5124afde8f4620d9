"""Batches give what single steps give, and never cross the border of a chunk or a shot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core import (
    BaseStage,
    Clip,
    ExecutionContext,
    Frame,
    Layers,
    Needs,
    PlannedStage,
    Reach,
    StageOptions,
    State,
    Window,
)
from vidstyle.core.errors import PluginError, StageError
from vidstyle.core.source import Mark
from vidstyle.runner.config.keyframes import TimedOptions
from vidstyle.runner.execution.batch_node import BatchNode
from vidstyle.runner.execution.checkpoints import CheckpointParts, Checkpoints
from vidstyle.runner.execution.node import Node
from vidstyle.runner.execution.nodes import make_node
from vidstyle.runner.execution.recall import Recall
from vidstyle.runner.plan.assembly import check_form
from vidstyle.runner.storage.checkpoint import ChunkPosition, Clock, load_stage_state
from vidstyle.runner.storage.layer_cache import LayerCache

CLIP = Clip(8, 6, Fraction(1, 25))


class Mean(BaseStage[StageOptions]):
    """The mean of all that its window shows, and a note of the batches."""

    def __init__(self, *, behind: int = 0, ahead: int = 0) -> None:
        super().__init__(StageOptions())
        reach = Reach(behind=behind, ahead=ahead)
        self.needs = Needs(reads={"image": reach}, writes=("image",))
        self.batches: list[list[int]] = []

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        frames = (window.now, *window.behind, *window.ahead)
        mean = np.mean([frame.host("image") for frame in frames], axis=0)
        return {"image": mean.astype(np.float32)}, None

    def step_many(self, windows: Sequence[Window[Any]]) -> Sequence[Layers]:
        self.batches.append([window.now.index for window in windows])
        return [self.step(window, None)[0] for window in windows]


def frames_of(places: Sequence[tuple[int, int]]) -> list[Frame]:
    """Frames of the given shots and chunks."""
    rng = np.random.default_rng(0)
    return [
        Frame(index, index * 10, 10, {"image": rng.random((6, 8, 3), np.float32)}, shot, chunk)
        for index, (shot, chunk) in enumerate(places)
    ]


def node_of(
    stage: Any, batch: int, recall: Recall | None = None, checkpoints: Checkpoints | None = None
) -> Any:
    context = ExecutionContext(batch=batch)
    planned = PlannedStage("filter", "filter/x", {}, stage.needs, context, CLIP, ("image",), 0)
    entry = TimedOptions(StageOptions())
    return make_node(planned, stage, entry, recall=recall, checkpoints=checkpoints)


def run_node(node: Node, frames: Sequence[Frame]) -> list[Frame]:
    return list(node.run(frames))


PLACES = [(0, 0)] * 7 + [(0, 1)] * 5 + [(1, 1)] * 2 + [(2, 2)]


@pytest.mark.parametrize(("behind", "ahead"), [(0, 0), (2, 0), (0, 1), (1, 3)])
@pytest.mark.parametrize("batch", [2, 3, 4, 16])
def test_batches_equal_single_steps(batch: int, behind: int, ahead: int) -> None:
    frames = frames_of(PLACES)
    single = run_node(node_of(Mean(behind=behind, ahead=ahead), 1), frames)
    stage = Mean(behind=behind, ahead=ahead)
    node = node_of(stage, batch)
    assert type(node) is BatchNode
    many = run_node(node, frames)
    assert [frame.index for frame in many] == list(range(len(PLACES)))
    for one, other in zip(single, many, strict=True):
        np.testing.assert_array_equal(one.host("image"), other.host("image"))
    for indices in stage.batches:
        assert len(indices) <= batch
        assert len({PLACES[index] for index in indices}) == 1


def test_batches_are_counted_from_the_start_of_a_chunk_within_its_shot() -> None:
    stage = Mean()
    run_node(node_of(stage, 3), frames_of(PLACES))
    assert stage.batches == [[0, 1, 2], [3, 4, 5], [6], [7, 8, 9], [10, 11], [12, 13], [14]]


def test_a_batch_is_given_as_soon_as_it_is_whole() -> None:
    taken: list[int] = []

    def arriving() -> Iterator[Frame]:
        for frame in frames_of([(0, 0)] * 5):
            taken.append(frame.index)
            yield frame

    given = [(done.index, len(taken)) for done in node_of(Mean(ahead=1), 2).run(arriving())]
    assert given == [(0, 3), (1, 3), (2, 5), (3, 5), (4, 5)]


def test_a_checkpoint_inside_a_batch_has_what_lies_behind_its_frame() -> None:
    frames = frames_of([(0, 0)] * 4)
    frames[2] = replace(frames[2], checkpoint=True)
    parts = CheckpointParts(lambda: Mark(1, 10, ()), position=ChunkPosition())
    run_node(node_of(Mean(behind=1), 4, checkpoints={2: parts}), frames)
    checkpoint = parts.whole(1, Clock(Fraction(0), Fraction(0)))
    assert checkpoint is not None
    behind = load_stage_state(checkpoint.states["filter"], "cpu").behind
    assert [frame.index for frame in behind] == [1]


def test_known_frames_of_a_batch_are_not_computed_again(tmp_path: Path) -> None:
    frames = frames_of([(0, 0)] * 8)
    recall = Recall(LayerCache(tmp_path), "stage")
    run_node(node_of(Mean(), 1, recall), frames[1:3])
    stage = Mean()
    many = run_node(node_of(stage, 4, recall), frames)
    assert stage.batches == [[0, 3], [4, 5, 6, 7]]
    single = run_node(node_of(Mean(), 1), frames)
    for one, other in zip(single, many, strict=True):
        np.testing.assert_array_equal(one.host("image"), other.host("image"))


def test_a_batch_of_another_length_is_the_stages_fault() -> None:
    class Short(Mean):
        def step_many(self, windows: Sequence[Window[Any]]) -> Sequence[Layers]:
            return [self.step(window, None)[0] for window in windows[1:]]

    with pytest.raises(StageError, match="step_many gave 2 frames' layers for 3 frames"):
        run_node(node_of(Short(), 3), frames_of([(0, 0)] * 3))


def test_a_stage_with_a_state_has_no_batches() -> None:
    class Stateful(Mean):
        def __init__(self) -> None:
            super().__init__()
            self.needs = Needs(writes=("image",), scope="shot")

    with pytest.raises(PluginError, match="has step_many, but keeps a state"):
        check_form("filter", Stateful())
