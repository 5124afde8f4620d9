"""Scaling, cropping and padding: sizes, shapes, and all layers of a frame alike."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import Clip, ExecutionContext, Frame, GeometryStage, HostArray, Window
from vidstyle.core.errors import PipelineError
from vidstyle.stages.geometry.crop import CropFrames, CropOptions
from vidstyle.stages.geometry.pad import PadFrames, PadOptions
from vidstyle.stages.geometry.scale import ScaleFrames, ScaleOptions
from vidstyle.testing import checks_for

CHECKS = [
    *checks_for(ScaleFrames, size="50%"),
    *checks_for(ScaleFrames, size="90x40"),
    *checks_for(CropFrames, aspect="4:3"),
    *checks_for(PadFrames, aspect="16:9", left=3, color=[1, 0.5, 0]),
]


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_they_keep_the_contract(name: str, check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize(
    ("size", "clip", "wanted"),
    [
        ("1280x720", (640, 360), (1280, 720, 1)),
        # The shape that is shown stays: 4:3 in 16:9 has narrower pixels.
        ("1280x720", (640, 480), (1280, 720, Fraction(3, 4))),
        ("720p", (1920, 1080), (1280, 720, 1)),
        ("720p", (1080, 1920), (720, 1280, 1)),
        ("50%", (641, 361), (320, 180, 1)),
        ("12.5%", (640, 360), (80, 46, Fraction(46, 45))),
        ("1%", (64, 48), (2, 2, Fraction(4, 3))),
    ],
)
def test_what_a_size_stands_for(
    size: str, clip: tuple[int, int], wanted: tuple[int, int, Fraction]
) -> None:
    after = ScaleFrames(ScaleOptions(size=size)).describe(Clip(*clip, Fraction(1, 25)))
    assert (after.width, after.height, after.sample_aspect) == wanted


def test_up_to_a_size_nothing_is_enlarged() -> None:
    def scaled(size: str, width: int, height: int) -> tuple[int, int]:
        clip = ScaleFrames(ScaleOptions(size=size)).describe(Clip(width, height, Fraction(1, 25)))
        return clip.width, clip.height

    assert scaled("up to 270p", 160, 90) == (160, 90)
    assert scaled("270p", 160, 90) == (480, 270)
    assert scaled("up to 270p", 640, 360) == (480, 270)
    assert scaled("up to 480x270", 160, 90) == (160, 90)
    assert scaled("up to 50%", 160, 90) == (80, 46)
    assert scaled("up to 270p", 161, 91) == (160, 90)


@pytest.mark.parametrize("size", ["", "720", "0x9", "20000x20", "0%", "9999%", "-5p", "1280 720"])
def test_no_size(size: str) -> None:
    with pytest.raises(ValidationError, match="must"):
        ScaleOptions(size=size)


def test_reduced_pixels_are_means_of_areas() -> None:
    image = random_image(64, 96)
    found = reshaped(ScaleFrames(ScaleOptions(size="50%")), {"image": image, "source": image})
    wanted = image.reshape(32, 2, 48, 2, 3).mean((1, 3))
    np.testing.assert_allclose(found["image"], wanted, atol=1e-6)


def test_cropping_takes_pixels_as_they_are() -> None:
    image = random_image(60, 90)
    options = CropOptions(left=3, top=4, right=5, bottom=6)
    found = reshaped(CropFrames(options), {"image": image, "source": image})["image"]
    assert np.array_equal(found, image[4:54, 3:85])


@pytest.mark.parametrize(
    ("aspect", "sample", "wanted"),
    [("16:9", 1, (640, 360)), ("1:1", 1, (480, 480)), ("16:9", Fraction(4, 3), (640, 480))],
)
def test_a_shape_is_cut_out_of_the_middle(
    aspect: str, sample: Fraction | int, wanted: tuple[int, int]
) -> None:
    clip = Clip(640, 480, Fraction(1, 25), sample_aspect=Fraction(sample))
    after = CropFrames(CropOptions(aspect=aspect)).describe(clip)
    assert (after.width, after.height) == wanted


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(PipelineError, match="leaves nothing of frames of 64x48"):
        CropFrames(CropOptions(left=40, right=24)).describe(Clip(64, 48, Fraction(1)))


def test_padding_is_transparent_and_masked_out() -> None:
    image, ones = random_image(41, 60), np.ones((41, 60), np.float32)
    options = PadOptions(aspect="16:9", top=1, color=(1, 0.5, 0))
    layers = {"image": image, "source": image, "alpha": ones, "mask": ones}
    found = reshaped(PadFrames(options), layers)
    # 42 rows and 75 columns, of which the last makes their number even.
    assert found["image"].shape == (42, 76, 3)
    assert np.array_equal(found["image"][1:, 8:68], image)
    assert np.array_equal(found["image"][0, 0], np.float32([1, 0.5, 0]))
    for name in ("alpha", "mask"):
        assert found[name].sum() == ones.sum()
        assert found[name][1:, 8:68].min() == 1


def reshaped(stage: GeometryStage, layers: dict[str, HostArray]) -> dict[str, HostArray]:  # type: ignore[type-arg]  # of any options
    height, width = layers["image"].shape[:2]
    clip = Clip(width, height, Fraction(1, 25), alpha="alpha" in layers)
    stage = stage.with_layers(tuple(layers))
    after = stage.describe(clip)
    stage.open(clip, ExecutionContext())
    written, _ = stage.step(Window(Frame(0, 0, 1, layers), stage.options), None)
    assert set(written) == set(layers)
    found = {name: np.asarray(layer) for name, layer in written.items()}
    assert {layer.shape[:2] for layer in found.values()} == {(after.height, after.width)}
    return found


def random_image(height: int, width: int) -> HostArray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)
