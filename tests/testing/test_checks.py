"""The suite passes stages that keep the contract, and names the promise that others break."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.testing import broken
from vidstyle.core import BaseStage, Layers, Needs, Reach, StageOptions, State, Window
from vidstyle.testing import Subject, checks_for, checks_of, failed, results, run_checks


class TwoAhead(BaseStage[Any]):
    """The mean of all that it sees, two frames each way, on the device."""

    needs = Needs(reads={"image": Reach(behind=2, ahead=2)}, writes=("image",), home="device")

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        frames = (window.now, *window.behind, *window.ahead)
        return {"image": sum(frame.tensor("image") for frame in frames) / len(frames)}, None  # type: ignore[dict-item]


class KeepsTensors(BaseStage[Any]):
    """A running mean whose state lies on the device."""

    needs = Needs(reads={"image": Reach()}, writes=("image",), scope="shot", home="device")

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        image = window.now.tensor("image")
        if state is not None:
            image = (image + state["mean"]) / 2  # type: ignore[operator]
        return {"image": image}, {"mean": image, "frames": window.now.index, "name": "mean"}


class ReadsItsOwnLayer(BaseStage[Any]):
    needs = Needs(reads={"image": Reach(), "depth": Reach()}, writes=("image",))

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        return {"image": window.now.host("image") * window.now.host("depth")[..., 1:]}, None


@pytest.mark.parametrize("stage", [broken.Healthy, broken.Averages, TwoAhead, KeepsTensors])
def test_a_healthy_stage_passes_every_check(stage: type[Any]) -> None:
    assert failed(run_checks(stage)) == {}


def test_a_stage_that_remembers_across_cuts_on_purpose_passes() -> None:
    assert failed(run_checks(broken.RemembersAcrossCuts)) == {}


@pytest.mark.parametrize(
    ("stage", "promise", "words"),
    [
        (broken.WritesToItsInput, "inputs_are_not_changed", "read-only"),
        (broken.WritesToItsTensor, "inputs_are_not_changed", "frame 0's layer image"),
        (broken.WritesToItsState, "inputs_are_not_changed", "state count"),
        (broken.RemembersOnSelf, "stage_remembers_nothing_itself", "frame 0 in image"),
        (broken.RemembersOnSelf, "restart_at_any_frame_equals_the_whole", "after frame 0"),
        (broken.RemembersOnSelf, "a_cut_resets_the_stage", "shot 1"),
        (broken.RemembersInTheProcess, "same_input_gives_same_output", "second run"),
        (broken.RemembersInTheProcess, "two_open_stages_do_not_meet", "differs"),
        (broken.GivesAnotherShape, "written_layers_are_sound", "shape"),
        (broken.GivesDoubles, "written_layers_are_sound", "float64"),
        (broken.GivesNan, "written_layers_are_sound", "NaN"),
        (broken.LeavesTheRange, "written_layers_are_sound", "[0, 1]"),
        (broken.MovesOnTheFirstFrame, "written_layers_are_sound", "first of its shot"),
        (broken.CutsByHalves, "written_layers_are_sound", "not 0 or 1"),
        (broken.WritesUndeclaredLayers, "only_declared_layers_change", "source"),
        (broken.ReadsUndeclaredLayers, "order_count_and_times_are_kept", "no layer source"),
        (broken.IsRandom, "same_input_gives_same_output", "second run differs"),
        (broken.ReusesItsBuffer, "outputs_are_not_changed_later", "layer image"),
        (broken.HidesAListInItsState, "state_survives_saving", "list"),
        (broken.KeepsPartOfItsState, "restart_at_any_frame_equals_the_whole", "after frame 1"),
        (broken.ChangesTheSizeUnasked, "describe_is_pure_and_agrees_with_needs", "geometry"),
        (broken.WantsEvenSizes, "every_size_works", "reshape"),
        (broken.WantsANeighbor, "one_frame_clip_works", "index out of range"),
        (broken.WantsAnOptionalLayer, "optional_layers_may_be_missing", "flow"),
        (broken.ClosesWhatItNeverOpened, "closing_works_without_opening", "NoneType"),
        (broken.ForgivesTypos, "options_build_and_refuse_unknown_keys", "StageOptions"),
    ],
)
def test_a_broken_promise_is_named(stage: type[Any], promise: str, words: str) -> None:
    reasons = failed(run_checks(stage))
    assert words in reasons[promise]
    assert "\n" not in reasons[promise]


@pytest.mark.parametrize(
    ("stage", "promises"),
    [
        (
            broken.IsRandom,
            {
                "same_input_gives_same_output",
                "stage_remembers_nothing_itself",
                "restart_at_any_frame_equals_the_whole",
                "a_cut_resets_the_stage",
                "two_open_stages_do_not_meet",
            },
        ),
        (broken.LeavesTheRange, {"written_layers_are_sound"}),
        (broken.WantsAnOptionalLayer, {"optional_layers_may_be_missing"}),
        (broken.ForgivesTypos, {"options_build_and_refuse_unknown_keys"}),
        (broken.ClosesWhatItNeverOpened, {"closing_works_without_opening"}),
    ],
)
def test_only_the_broken_promises_are_named(stage: type[Any], promises: set[str]) -> None:
    assert set(failed(run_checks(stage))) == promises


class Strength(StageOptions):
    strength: float = 0.5


class HasOptions(broken.Healthy):
    Options = Strength


def test_an_unknown_option_fails_instead_of_being_dropped() -> None:
    assert "strenght" in failed(run_checks(HasOptions, {"strenght": 1}))["one_frame_clip_works"]


def test_layers_of_a_plugin_can_be_given() -> None:
    assert "ValueError" in failed(run_checks(ReadsItsOwnLayer))["one_frame_clip_works"]
    subject = Subject(
        ReadsItsOwnLayer, layers={"depth": lambda frame: frame.host("source")[..., :2]}
    )
    assert failed(results(checks_of(subject))) == {}


class RefusesSmall(broken.Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        from vidstyle.core.errors import InputError

        image = window.now.host("image")
        if min(image.shape[:2]) < self.least:
            raise InputError("the image is too small")
        return image

    least = 16


class RefusesMuch(RefusesSmall):
    least = 32


def test_a_tiny_image_may_be_refused_but_a_usual_one_may_not() -> None:
    assert failed(run_checks(RefusesSmall)) == {}
    assert "16x16 is refused" in failed(run_checks(RefusesMuch))["every_size_works"]


@pytest.mark.parametrize(("name", "check"), checks_for(HasOptions, strength=0.25))
def test_checks_can_be_given_to_pytest(name: str, check: Any) -> None:
    check()


def test_the_checks_do_not_rest_on_assert_statements() -> None:
    import ast
    from pathlib import Path

    import vidstyle.testing as package

    for path in Path(package.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)], path.name


def test_the_input_is_the_image_that_the_geometry_says() -> None:
    from vidstyle.testing.inputs import make_input

    class Looks(broken.Healthy):
        needs = Needs(
            reads={name: Reach() for name in ("flow", "flow_from_previous", "visible", "alpha")},
            writes=("image",),
        )

    given = make_input(Subject(Looks), shots=(3, 2))
    flows = [frame.host("flow") for frame in given.frames]
    forward = [frame.host("flow_from_previous") for frame in given.frames]
    assert [frame.shot for frame in given.frames] == [0, 0, 0, 1, 1]
    assert given.clip.alpha
    np.testing.assert_allclose(flows[1], np.full((48, 64, 2), (-1.25, 0.5)))
    np.testing.assert_allclose(forward[4], np.full((48, 64, 2), (-1.5, 0.75)))
    assert not np.any(flows[3])


def test_results_print_as_a_table() -> None:
    def broken_check() -> None:
        raise AssertionError("wanted 2,\n got 3")

    table = str(results([("fine", lambda: None), ("counts_frames", broken_check)]))
    assert table.splitlines() == [
        "fine           passed",
        "counts_frames  FAILED: wanted 2, got 3",
        "1 of 2 checks failed.",
    ]
    assert str(results([("fine", lambda: None)])).splitlines()[-1] == "All checks passed (1)."
