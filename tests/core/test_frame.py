"""Frames are immutable and say what they hold."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from vidstyle.core import Frame


def frame_of(**layers: np.ndarray) -> Frame:
    return Frame(3, 120, 40, layers)


def test_layers_cannot_be_added_or_replaced() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(TypeError):
        frame.layers["image"] = np.ones((2, 2, 3), np.float32)  # type: ignore[index]  # the point of the test


def test_a_missing_layer_is_named_with_those_there() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(KeyError, match="has no layer flow; it has: image"):
        frame.host("flow")


@pytest.mark.parametrize(
    ("home", "wrong", "right", "words"),
    [("host", "tensor", "host", "lies on the host"), ("cpu", "host", "tensor", "lies on a device")],
)
def test_a_stage_reads_layers_in_its_own_home_alone(
    home: str, wrong: str, right: str, words: str
) -> None:
    shown = frame_of(image=np.zeros((2, 2, 3), np.float32)).restrict(["image"], home)
    with pytest.raises(TypeError, match=words):
        getattr(shown, wrong)("image")
    assert type(getattr(shown, right)("image")) is type(shown.layers["image"])


def test_a_stage_sees_the_layers_that_it_declares_and_no_others() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32), flow=np.zeros((2, 2, 2), np.float32))
    shown = frame.restrict(["flow", "mask"], "host")
    assert list(shown.layers) == ["flow"]
    with pytest.raises(KeyError, match="has no layer image; it has: flow"):
        shown.host("image")
    for field in fields(Frame):
        if field.name != "layers":
            assert getattr(shown, field.name) == getattr(frame, field.name)


def test_written_layers_replace_others_and_what_nobody_reads_goes() -> None:
    image, flow = np.zeros((2, 2, 3), np.float32), np.zeros((2, 2, 2), np.float32)
    frame = frame_of(image=image, flow=flow, mask=flow)
    written = frame.write({"image": image + 1, "own": flow}, ["image", "flow", "later"])
    assert sorted(written.layers) == ["flow", "image"]
    assert written.host("image").max() == 1
    assert frame.host("image").max() == 0


def test_layers_of_a_frame_cannot_be_written_to() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        frame.host("image")[:] = 1


def test_printing_shows_shapes_not_data() -> None:
    frame = frame_of(image=np.zeros((2, 5, 3), np.float32))
    assert repr(frame) == "Frame(3, pts=120, shot=0, image(2, 5, 3))"


@pytest.mark.parametrize(("index", "duration"), [(-1, 1), (0, -1)])
def test_impossible_values_are_refused(index: int, duration: int) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Frame(index, 0, duration, {})
