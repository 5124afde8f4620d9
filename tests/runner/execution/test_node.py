"""Windows, states and checks of one stage at work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Frame,
    Layers,
    Needs,
    PlaneFormat,
    Planes,
    PlannedStage,
    Reach,
    Stage,
    StageOptions,
    State,
    Window,
)
from vidstyle.core.errors import DeviceError, StageError
from vidstyle.core.source import Mark
from vidstyle.runner.config.keyframes import TimedOptions
from vidstyle.runner.execution.checkpoints import CheckpointParts
from vidstyle.runner.execution.node import Node
from vidstyle.runner.storage.checkpoint import ChunkPosition, Clock, load_stage_state

CLIP = Clip(8, 6, Fraction(1, 25))


def node_of(stage: Stage, needs: Needs) -> Node:
    planned = PlannedStage(
        "filter", "filter/test", {}, needs, ExecutionContext(), CLIP, ("image", "source", "own"), 0
    )
    return Node(planned, stage, TimedOptions(StageOptions()))


def frame_of(index: int, shot: int = 0) -> Frame:
    image = np.full((6, 8, 3), index / 100, np.float32)
    layers = {"image": image, "source": image}
    return Frame(index, index * 10, 10, layers, shot, time=Fraction(index))


def run_node(node: Node, frames: Iterable[Frame]) -> list[Frame]:
    return list(node.run(frames))


class Watching(BaseStage[StageOptions]):
    """Notes which frames its windows show."""

    def __init__(self, needs: Needs) -> None:
        super().__init__(StageOptions())
        self.needs = needs
        self.seen: list[tuple[int, list[int], list[int]]] = []
        self.shown: list[list[list[str]]] = []

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        behind = [frame.index for frame in window.behind]
        ahead = [frame.index for frame in window.ahead]
        self.seen.append((window.now.index, behind, ahead))
        self.shown.append([sorted(frame.layers) for frame in (*window.behind, *window.ahead)])
        return {}, None


def test_windows_are_nearest_first_and_stop_where_a_shot_ends() -> None:
    stage = Watching(Needs(reads={"image": Reach(behind=2, ahead=1)}))
    shots = [0, 0, 0, 1, 1]
    out = run_node(node_of(stage, stage.needs), [frame_of(i, s) for i, s in enumerate(shots)])
    assert [frame.index for frame in out] == [0, 1, 2, 3, 4]
    assert stage.seen == [
        (0, [], [1]),
        (1, [0], [2]),
        (2, [1, 0], []),
        (3, [], [4]),
        (4, [3], []),
    ]


def test_each_layer_is_shown_within_its_own_reach() -> None:
    needs = Needs(reads={"image": Reach(behind=1), "source": Reach(behind=2)})
    stage = Watching(needs)
    run_node(node_of(stage, needs), map(frame_of, range(3)))
    assert stage.shown[2] == [["image", "source"], ["source"]]


class Counting(BaseStage[StageOptions]):
    def __init__(self, scope: str) -> None:
        super().__init__(StageOptions())
        self.needs = Needs(reads={"image": NOW}, writes=("own",), scope=scope)  # type: ignore[arg-type]  # from parametrize

    def initial_state(self) -> State:
        return {"count": 0}

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        assert state is not None
        count = int(state["count"]) + 1  # type: ignore[arg-type]  # an int at the start
        return {"own": np.asarray([count], np.float32)}, {"count": count}


@pytest.mark.parametrize(("scope", "wanted"), [("shot", [1, 2, 1, 2]), ("clip", [1, 2, 3, 4])])
def test_the_state_lives_for_its_scope(scope: str, wanted: list[int]) -> None:
    stage = Counting(scope)
    frames = [frame_of(i, shot=i // 2) for i in range(4)]
    out = run_node(node_of(stage, stage.needs), frames)
    assert [int(p.host("own")[0]) for p in out] == wanted


def test_a_node_resumes_from_the_state_of_another() -> None:
    whole = node_of(Counting("clip"), Counting("clip").needs)
    run_node(whole, [frame_of(0)])
    again = node_of(Counting("clip"), Counting("clip").needs)
    again.restore(whole.state())
    [done] = run_node(again, [frame_of(1)])
    assert int(done.host("own")[0]) == 2


class Writing(BaseStage[StageOptions]):
    needs = Needs(reads={"image": NOW}, writes=("image",))

    def __init__(self, layers: Any) -> None:
        super().__init__(StageOptions())
        self.layers = layers

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        if isinstance(self.layers, BaseException):
            raise self.layers
        return self.layers, None


GOOD = np.zeros((6, 8, 3), np.float32)


def planes_of(height: int, width: int) -> Planes:
    samples = tuple(np.zeros((height, width), np.uint8) for _ in range(3))
    return Planes(samples, PlaneFormat((1, 1), "bt709", "full"), GOOD.copy)


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        ({}, "declared that it writes"),
        ({"image": GOOD, "flow": GOOD}, "declared that it writes"),
        ({"image": GOOD.astype(np.float64)}, "must be float32, got float64"),
        ({"image": GOOD[:, :4]}, r"must have shape \(6, 8, 3\), got \(6, 4, 3\)"),
        ({"image": GOOD + np.float32(np.nan)}, "NaN"),
        ({"image": GOOD + np.float32(np.inf)}, "NaN or infinite"),
        ({"image": [1, 2]}, "must be a numpy array, got list"),
        ({"image": planes_of(6, 4)}, r"must have shape \(6, 8, 3\), got \(6, 4, 3\)"),
        (None, "must be a mapping"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_what_a_stage_must_not_return_names_stage_and_frame(
    layers: Mapping[str, Any] | None, complaint: str
) -> None:
    node = node_of(Writing(layers), Writing.needs)
    with pytest.raises(StageError, match=f"stage filter, frame 7: .*{complaint}"):
        run_node(node, [frame_of(7)])


def test_a_stage_may_write_planes() -> None:
    [frame] = run_node(node_of(Writing({"image": planes_of(6, 8)}), Writing.needs), [frame_of(0)])
    assert frame.planes("image") is not None
    np.testing.assert_array_equal(frame.host("image"), GOOD)


def test_an_array_that_may_change_is_checked_for_each_frame() -> None:
    own = GOOD.copy()

    class Reusing(Writing):
        def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
            if window.now.index:
                own[0, 0, 0] = np.nan
            return {"image": own}, None

    with pytest.raises(StageError, match=r"frame 1: .*NaN"):
        run_node(node_of(Reusing(None), Writing.needs), [frame_of(0), frame_of(1)])


def test_running_out_of_memory_is_a_device_error() -> None:
    node = node_of(Writing(MemoryError()), Writing.needs)
    with pytest.raises(DeviceError, match="stage filter, frame 0: out of memory"):
        run_node(node, [frame_of(0)])


def test_inputs_cannot_be_written_to() -> None:
    class Mutating(Writing):
        def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
            window.now.host("image")[:] = 0
            return {"image": GOOD}, None

    with pytest.raises(StageError, match="read-only"):
        run_node(node_of(Mutating(None), Writing.needs), [frame_of(0)])


def test_another_home_than_the_declared_one_names_the_mistake() -> None:
    class OnDevice(Writing):
        def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
            window.now.tensor("image")
            return {"image": GOOD}, None

    with pytest.raises(StageError, match="TypeError: layer image lies on the host; the stage's"):
        run_node(node_of(OnDevice(None), Writing.needs), [frame_of(0)])


def test_options_are_the_same_object_where_nothing_is_keyframed() -> None:
    seen = []

    class Options(Watching):
        def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
            seen.append(window.options)
            return {}, None

    needs = Needs(reads={"image": NOW})
    run_node(node_of(Options(needs), needs), map(frame_of, range(3)))
    assert seen[0] is seen[1] is seen[2]


def test_the_state_before_a_frame_is_added_to_its_checkpoint_and_to_no_other() -> None:
    needs = Needs(reads={"image": Reach(behind=2, ahead=1)})
    planned = PlannedStage("filter", "filter/x", {}, needs, ExecutionContext(), CLIP, (), 0)
    parts = CheckpointParts(lambda: Mark(2, 20, ()), position=ChunkPosition())
    node = Node(planned, Watching(needs), TimedOptions(StageOptions()), checkpoints={3: parts})
    frames = [replace(frame_of(index), checkpoint=index == 3) for index in range(6)]
    run_node(node, frames)
    checkpoint = parts.whole(1, Clock(Fraction(0), Fraction(0)))
    assert checkpoint is not None
    state = load_stage_state(checkpoint.states["filter"], "cpu")
    assert [frame.index for frame in state.behind] == [2, 1]
    for frame in state.behind:
        given = frames[frame.index]
        assert (frame.pts, frame.duration, frame.time) == (given.pts, given.duration, given.time)
        np.testing.assert_array_equal(frame.host("image"), given.host("image"))
