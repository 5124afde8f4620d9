"""The stage: its contract, its strength, and what it reads."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import Frame, HostArray, Window
from vidstyle.core.options import may_be_keyframed
from vidstyle.stages.filter.keep_colors import STAGE, KeepColors, KeepColorsOptions
from vidstyle.testing import checks_for

RANDOM = np.random.default_rng(0)
IMAGE, SOURCE = RANDOM.random((2, 24, 32, 3), np.float32)


@pytest.mark.parametrize(
    ("name", "check"),
    [*checks_for(STAGE), *checks_for(STAGE, strength=0.5, luminance="matched")],
)
def test_keep_colors_keeps_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


def colored(**options: object) -> HostArray:
    stage = KeepColors(KeepColorsOptions.model_validate(options))
    frame = Frame(0, 0, 1, {"image": IMAGE, "source": SOURCE})
    layers, state = stage.step(Window(frame, stage.options), None)
    assert state is None
    return np.asarray(layers["image"])


def luma(image: HostArray) -> HostArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def test_the_image_gives_the_luma_and_the_source_the_colors() -> None:
    result = colored()
    np.testing.assert_allclose(luma(result), luma(IMAGE), atol=1e-4)
    # Paling shrinks all differences between channels alike.
    theirs, ours = (image - luma(image)[..., np.newaxis] for image in (SOURCE, result))
    np.testing.assert_allclose(np.cross(theirs, ours), 0, atol=1e-4)


def test_strength_zero_gives_the_frame_bit_for_bit() -> None:
    np.testing.assert_array_equal(colored(strength=0), IMAGE)


def test_strength_mixes_with_the_image() -> None:
    wanted = 0.7 * IMAGE + 0.3 * colored()
    np.testing.assert_allclose(colored(strength=0.3), wanted, atol=1e-6)


def test_strength_is_read_at_the_frame() -> None:
    assert may_be_keyframed(KeepColorsOptions, "strength")
    stage = KeepColors(KeepColorsOptions(strength=1))
    frame = Frame(0, 0, 1, {"image": IMAGE, "source": SOURCE})
    layers, _ = stage.step(Window(frame, KeepColorsOptions(strength=0)), None)
    np.testing.assert_array_equal(layers["image"], IMAGE)


def test_matched_luminance_has_the_light_of_the_source() -> None:
    image = 0.1 + 0.1 * IMAGE
    source = 0.45 + 0.1 * SOURCE
    stage = KeepColors(KeepColorsOptions(luminance="matched"))
    frame = Frame(0, 0, 1, {"image": image, "source": source})
    result = np.asarray(stage.step(Window(frame, stage.options), None)[0]["image"])
    assert luma(result).mean() == pytest.approx(luma(source).mean(), abs=1e-4)
    assert luma(result).std() == pytest.approx(luma(source).std(), abs=1e-4)


@pytest.mark.parametrize("options", [{"strength": 1.1}, {"luminance": "source"}, {"amount": 1}])
def test_options_out_of_bounds_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KeepColorsOptions.model_validate(options)
