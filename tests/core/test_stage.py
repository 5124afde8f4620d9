"""The ten-line filter and the defaults of a stage."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import Frame, HostArray, StageOptions, Window, image_filter, keyframed
from vidstyle.core.options import may_be_keyframed


@image_filter
def darken(image: HostArray, *, amount: float = 0.5) -> HostArray:
    """Darken the image."""
    return image * np.float32(1 - amount)


class Gain(StageOptions):
    gain: float = keyframed(1.0, ge=0, le=4)
    steps: int = 2


@image_filter(options=Gain)
def brighten(image: HostArray, *, gain: float, steps: int) -> HostArray:
    return image * np.float32(gain * steps)


def window_of(options: StageOptions) -> Window[StageOptions]:
    image = np.full((4, 6, 3), 0.5, np.float32)
    return Window(Frame(0, 0, 1, {"image": image}), options)


def test_keyword_parameters_become_options() -> None:
    stage = darken(darken.Options(amount=0.25))
    layers, state = stage.step(window_of(stage.options), None)  # type: ignore[attr-defined]  # made by the decorator
    assert state is None
    np.testing.assert_array_equal(layers["image"], np.full((4, 6, 3), 0.375, np.float32))


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValidationError, match="amuont"):
        darken.Options(amuont=1)


def test_a_model_gives_bounds_and_keyframes() -> None:
    options = Gain(gain=2)
    layers, _ = brighten(options).step(window_of(options), None)  # type: ignore[attr-defined]  # as above
    assert float(layers["image"][0, 0, 0]) == 2.0
    assert may_be_keyframed(Gain, "gain")
    assert not may_be_keyframed(Gain, "steps")
    with pytest.raises(ValidationError):
        Gain(gain=5)


def test_the_filter_keeps_its_name_and_text() -> None:
    assert darken.__name__ == "darken"
    assert darken.__doc__ == "Darken the image."
    assert dict(darken.needs.reads).keys() == {"image"}
    assert darken.needs.writes == ("image",)
