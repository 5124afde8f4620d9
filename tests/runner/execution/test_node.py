"""Windows, states and checks of one stage at work."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Layers,
    Needs,
    PlannedStage,
    Reach,
    Stage,
    StageOptions,
    State,
    Window,
)
from vidstyle.core.errors import DeviceError, StageError, Terminated
from vidstyle.runner.execution.guard import guarded
from vidstyle.runner.execution.node import Node
from vidstyle.runner.execution.parcel import Cell, Parcel

CLIP = Clip(8, 6, Fraction(1, 25))


def node_of(stage: Stage, needs: Needs) -> Node:
    planned = PlannedStage(
        "filter", "filter/test", {}, needs, ExecutionContext(), CLIP, ("image", "source", "own"), 0
    )
    return Node(planned, stage, lambda _: StageOptions())


def parcel_of(index: int, shot: int = 0) -> Parcel:
    image = np.full((6, 8, 3), index / 100, np.float32)
    cells = {"image": Cell(image), "source": Cell(image)}
    return Parcel(index, index * 10, 10, Fraction(index), cells, shot)


def run_node(node: Node, parcels: Iterable[Parcel]) -> list[Parcel]:
    out = [done for parcel in parcels for done in node.push(parcel)]
    return [*out, *node.finish()]


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


def test_windows_are_nearest_first_and_stop_at_shot_edges() -> None:
    stage = Watching(Needs(reads={"image": Reach(behind=2, ahead=1)}))
    shots = [0, 0, 0, 1, 1]
    out = run_node(node_of(stage, stage.needs), [parcel_of(i, s) for i, s in enumerate(shots)])
    assert [parcel.index for parcel in out] == [0, 1, 2, 3, 4]
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
    run_node(node_of(stage, needs), map(parcel_of, range(3)))
    assert stage.shown[2] == [["image", "source"], ["source"]]


class Counting(BaseStage[StageOptions]):
    def __init__(self, scope: str) -> None:
        super().__init__(StageOptions())
        self.needs = Needs(reads={"image": NOW}, writes=("own",), scope=scope)  # type: ignore[arg-type]  # from parametrize

    def initial_state(self) -> State:
        return {"count": 0}

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        assert state is not None
        count = int(state["count"]) + 1  # type: ignore[arg-type]  # an int by fresh
        return {"own": np.asarray([count], np.float32)}, {"count": count}


@pytest.mark.parametrize(("scope", "wanted"), [("shot", [1, 2, 1, 2]), ("clip", [1, 2, 3, 4])])
def test_the_state_lives_for_its_scope(scope: str, wanted: list[int]) -> None:
    stage = Counting(scope)
    parcels = [parcel_of(i, shot=i // 2) for i in range(4)]
    out = run_node(node_of(stage, stage.needs), parcels)
    assert [int(p.cells["own"].at("host", "cpu")[0]) for p in out] == wanted


def test_a_node_goes_on_from_what_another_held() -> None:
    whole = node_of(Counting("clip"), Counting("clip").needs)
    list(whole.push(parcel_of(0)))
    again = node_of(Counting("clip"), Counting("clip").needs)
    again.restore(whole.held())
    [done] = again.push(parcel_of(1))
    assert int(done.cells["own"].at("host", "cpu")[0]) == 2


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
        (None, "must be a mapping"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_what_a_stage_must_not_return_names_stage_and_frame(
    layers: Mapping[str, Any] | None, complaint: str
) -> None:
    node = node_of(Writing(layers), Writing.needs)
    with pytest.raises(StageError, match=f"stage filter, frame 7: .*{complaint}"):
        run_node(node, [parcel_of(7)])


def test_running_out_of_memory_is_a_device_error() -> None:
    node = node_of(Writing(MemoryError()), Writing.needs)
    with pytest.raises(DeviceError, match="stage filter, frame 0: out of memory"):
        run_node(node, [parcel_of(0)])


def test_inputs_cannot_be_written_to() -> None:
    class Mutating(Writing):
        def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
            window.now.host("image")[:] = 0
            return {"image": GOOD}, None

    with pytest.raises(StageError, match="read-only"):
        run_node(node_of(Mutating(None), Writing.needs), [parcel_of(0)])


def test_being_told_to_end_is_not_the_stages_doing() -> None:
    def told() -> None:
        raise Terminated(143)

    with pytest.raises(Terminated):
        guarded("filter", 0, told)
    with pytest.raises(StageError, match="SystemExit"):
        guarded("filter", 0, lambda: sys.exit(143))
