"""Scaling, cropping and padding: sizes, shapes, and all layers of a frame alike."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import (
    Clip,
    ExecutionContext,
    Frame,
    GeometryStage,
    HostArray,
    PlaneFormat,
    Planes,
    Window,
)
from vidstyle.core.clip import Range
from vidstyle.core.errors import PipelineError
from vidstyle.core.frame import LazyLayer, LazyLayers
from vidstyle.core.planes import Siting, chroma_shape
from vidstyle.media.to_rgb import decoding_matrix
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


RGB_OF_PLANES = np.random.default_rng(5).random((60, 90, 3), np.float32)
LEFT = PlaneFormat((2, 2), "bt709", "limited", "left")


def frame_of_planes(to_rgb: Callable[[], HostArray], form: PlaneFormat = LEFT) -> Frame:
    random = np.random.default_rng(6)
    small = chroma_shape((60, 90), form.chroma)
    shapes = ((60, 90), small, small)
    planes = Planes(tuple(random.integers(0, 256, s, np.uint8) for s in shapes), form, to_rgb)
    layer = LazyLayer(planes)
    return Frame(0, 0, 1, LazyLayers({"source": layer, "image": layer}))


def step(stage: GeometryStage, frame: Frame) -> Frame:
    stage.open(Clip(90, 60, Fraction(1, 25)), ExecutionContext())
    layers, _ = stage.step(Window(frame, stage.options), None)
    return frame.write(layers, ["source", "image"])


@pytest.mark.parametrize("chroma", [(2, 2), (2, 1), (1, 1)])
def test_planes_are_cropped_as_planes_and_rgb_when_it_is_read(chroma: tuple[int, int]) -> None:
    calls: list[int] = []

    def to_rgb() -> HostArray:
        calls.append(1)
        return RGB_OF_PLANES

    siting: Siting = "left" if chroma[0] == 2 else "center"
    frame = frame_of_planes(to_rgb, PlaneFormat(chroma, "bt709", "limited", siting))
    found = step(CropFrames(CropOptions(left=4, top=2, right=6, bottom=8)), frame)
    planes, given = found.planes("image"), frame.planes("image")
    assert planes is not None
    assert given is not None
    assert planes.format == given.format
    np.testing.assert_array_equal(planes.luma, given.luma[2:52, 4:84])
    (across, down), blue = chroma, given.samples[1]
    wanted = blue[2 // down : 52 // down, 4 // across : 84 // across]
    np.testing.assert_array_equal(planes.samples[1], wanted)
    assert not calls
    np.testing.assert_array_equal(found.host("image"), RGB_OF_PLANES[2:52, 4:84])
    assert found.host("source") is found.host("image")
    assert calls == [1]


def test_a_crop_between_chroma_samples_is_done_on_rgb() -> None:
    found = step(CropFrames(CropOptions(left=3, right=3)), frame_of_planes(RGB_OF_PLANES.copy))
    assert found.planes("image") is None
    np.testing.assert_array_equal(found.host("image"), RGB_OF_PLANES[:, 3:87])


@pytest.mark.parametrize("spread", ["limited", "full"])
def test_planes_are_padded_in_the_code_values_of_the_color(spread: Range) -> None:
    form = PlaneFormat((2, 2), "bt601", spread, "left")
    frame = frame_of_planes(RGB_OF_PLANES.copy, form)
    options = PadOptions(left=4, top=2, right=2, bottom=6, color=(1, 0.5, 0))
    found = step(PadFrames(options), frame)
    planes, given = found.planes("image"), frame.planes("image")
    assert planes is not None
    assert given is not None
    for at, (samples, before) in enumerate(zip(planes.samples, given.samples, strict=True)):
        per = 1 if at == 0 else 2
        inner = np.s_[2 // per : 62 // per, 4 // per : 94 // per]
        np.testing.assert_array_equal(samples[inner], before)
        edges = samples.copy()
        edges[inner] = samples[0, 0]
        assert (edges == samples[0, 0]).all()
    code = np.array([plane[0, 0] for plane in planes.samples], np.float32)
    matrix = decoding_matrix("bt601", spread)
    np.testing.assert_allclose(matrix[:, :3] @ code + matrix[:, 3], (1, 0.5, 0), atol=0.012)
    padded = found.host("image")
    np.testing.assert_array_equal(padded[2:62, 4:94], RGB_OF_PLANES)
    np.testing.assert_array_equal(padded[0, 0], np.float32((1, 0.5, 0)))


def test_edges_between_chroma_samples_are_put_around_rgb() -> None:
    found = step(PadFrames(PadOptions(left=3, right=3)), frame_of_planes(RGB_OF_PLANES.copy))
    assert found.planes("image") is None
    assert found.host("image").shape == (60, 96, 3)
