"""Frames are immutable and say what they hold."""

from __future__ import annotations

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


def test_a_host_layer_is_not_a_tensor() -> None:
    frame = frame_of(image=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(TypeError, match="lies on the host"):
        frame.tensor("image")


def test_printing_shows_shapes_not_data() -> None:
    frame = frame_of(image=np.zeros((2, 5, 3), np.float32))
    assert repr(frame) == "Frame(3, pts=120, shot=0, image(2, 5, 3))"


@pytest.mark.parametrize(("index", "duration"), [(-1, 1), (0, -1)])
def test_impossible_values_are_refused(index: int, duration: int) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Frame(index, 0, duration, {})
