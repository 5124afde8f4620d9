"""A held image moves with the source: against a pan whose motion is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from vidstyle.core import Frame, HostArray, State, Window
from vidstyle.stages.filter.follow_motion import STAGE, FollowMotion, FollowMotionOptions
from vidstyle.testing import checks_for, pan

COUNT, BORDER = 6, 8


@pytest.mark.parametrize(
    ("name", "check"), [*checks_for(STAGE), *checks_for(STAGE, kernel="bilinear")]
)
def test_follow_motion_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


@pytest.fixture(scope="module")
def moving() -> list[Frame]:
    """A pan with its exact flow; the image is the negative of the source."""
    frames = []
    for frame in pan(frames=COUNT, width=96, height=64, step=(2, 0)).with_truth():
        layers = {"image": 1 - frame.host("source"), "flow_from_previous": -frame.host("flow")}
        frames.append(replace(frame, layers={**frame.layers, **layers}))
    return frames


def with_layer(frame: Frame, name: str, value: HostArray) -> Frame:
    return replace(frame, layers={**frame.layers, name: value})


def held(frames: list[Frame], every: int = 2) -> list[Frame]:
    """Each ``every``-th image, shown until the next one; copies, as after decoding."""
    return [
        with_layer(frame, "image", frames[at - at % every].host("image").copy())
        for at, frame in enumerate(frames)
    ]


def run(frames: list[Frame], *, ahead: bool = True, strength: float = 1) -> list[HostArray]:
    stage = FollowMotion(FollowMotionOptions(strength=strength))
    state: State = None
    found = []
    for at, frame in enumerate(frames):
        window = Window(
            frame,
            stage.options,
            behind=(frames[at - 1],) if at else (),
            ahead=tuple(frames[at + 1 : at + 2]) if ahead else (),
        )
        layers, state = stage.step(window, state)
        found.append(np.asarray(layers["image"]))
    return found


def error(image: HostArray, frame: Frame) -> float:
    """Of 255, without the border into which the pan moves."""
    inner = np.abs(image - frame.host("image"))[:, BORDER:-BORDER]
    return 255 * float(inner.mean())


def test_a_held_image_lies_where_the_source_is(moving: list[Frame]) -> None:
    given = held(moving)
    for at, (image, frame) in enumerate(zip(run(given), moving, strict=True)):
        if at % 2:
            assert error(image, frame) < 1
            assert error(given[at].host("image"), frame) > 5
        else:
            np.testing.assert_array_equal(image, frame.host("image"))


def test_an_image_that_is_held_longer_moves_on(moving: list[Frame]) -> None:
    for image, frame in zip(run(held(moving, every=3)), moving, strict=True):
        assert error(image, frame) < 2


def test_what_comes_into_the_frame_is_seen_in_the_next_image(moving: list[Frame]) -> None:
    given, at = held(moving), 3
    frame = moving[at]
    new = frame.host("visible") == 0
    assert new.any()

    def error_there(image: HostArray) -> float:
        return 255 * float(np.abs(image - frame.host("image"))[new].mean())

    assert error_there(run(given)[at]) < error_there(run(given, ahead=False)[at]) / 3


def test_images_that_move_by_themselves_pass_bit_for_bit(moving: list[Frame]) -> None:
    for image, frame in zip(run(moving), moving, strict=True):
        np.testing.assert_array_equal(image, frame.host("image"))


def test_a_still_source_is_left_alone(moving: list[Frame]) -> None:
    """Where the source is held as well, nothing has to be moved, whatever the flow says."""
    source = moving[0].host("source")
    frames = [with_layer(frame, "source", source.copy()) for frame in held(moving)]
    for image, frame in zip(run(frames), frames, strict=True):
        np.testing.assert_array_equal(image, frame.host("image"))


def test_another_source_is_not_followed(moving: list[Frame]) -> None:
    """Where the flow is wrong the image stays as it is."""
    given = held(moving)
    source = np.zeros_like(given[1].host("source"))
    given[1] = with_layer(given[1], "source", source)
    assert 255 * np.abs(run(given)[1] - given[1].host("image")).mean() < 1


def test_strength_is_the_part_of_the_way(moving: list[Frame]) -> None:
    given = held(moving)
    for image, frame in zip(run(given, strength=0), given, strict=True):
        np.testing.assert_array_equal(image, frame.host("image"))
    half, whole, none = run(given, strength=0.5)[1], run(given)[1], given[1].host("image")
    assert 0 < np.abs(half - none).mean() < np.abs(whole - none).mean()
