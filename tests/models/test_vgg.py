"""The feature extractor equals VGG19 written down plainly, and checks its file."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from torch.nn import functional

from vidstyle.core.errors import WeightsError
from vidstyle.models import safetensors_file
from vidstyle.models.vgg import BLUE_GREEN_RED_MEAN, WEIGHTS_FILE, Pooling, load_vgg19

Tensors = dict[str, torch.Tensor]


@pytest.fixture
def tensors() -> Tensors:
    """Random weights up to conv2_1, in the layout of torchvision's ``features``."""
    generator = torch.Generator().manual_seed(0)
    made = {}
    for number, (inputs, outputs) in {0: (3, 64), 2: (64, 64), 5: (64, 128)}.items():
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        made[f"features.{number}.weight"] = weight * (2 / (9 * inputs)) ** 0.5
        made[f"features.{number}.bias"] = torch.randn(outputs, generator=generator)
    return made


@pytest.fixture
def folder(tmp_path: Path, tensors: Tensors) -> Path:
    safetensors_file.write(tmp_path / WEIGHTS_FILE, tensors, {})
    return tmp_path


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_features_equal_the_layers_written_down(
    folder: Path, tensors: Tensors, pooling: Pooling
) -> None:
    pictures = torch.rand(2, 3, 16, 20, generator=torch.Generator().manual_seed(1))
    found = load_vgg19(folder=folder, pooling=pooling)(pictures, ["relu1_2", "relu2_1"])

    red, green, blue = (255 * pictures).unbind(1)
    blue, green, red = (
        channel - mean
        for channel, mean in zip((blue, green, red), BLUE_GREEN_RED_MEAN, strict=True)
    )
    features = torch.stack([blue, green, red], dim=1)
    for number in (0, 2):
        features = functional.relu(convolved(tensors, number, features))
    torch.testing.assert_close(found["relu1_2"], features)
    pool = functional.max_pool2d if pooling == "max" else functional.avg_pool2d
    features = functional.relu(convolved(tensors, 5, pool(features, 2)))
    torch.testing.assert_close(found["relu2_1"], features)


def convolved(tensors: Tensors, number: int, features: torch.Tensor) -> torch.Tensor:
    weight, bias = (tensors[f"features.{number}.{part}"] for part in ("weight", "bias"))
    return functional.conv2d(features, weight, bias, padding=1)


def test_weights_are_frozen_and_the_picture_is_not(folder: Path) -> None:
    extractor = load_vgg19(folder=folder)
    assert not list(extractor.parameters())
    picture = torch.rand(1, 3, 8, 8, requires_grad=True)
    extractor(picture, ["relu1_1"])["relu1_1"].sum().backward()
    assert picture.grad is not None


def test_layers_beyond_the_file_are_refused(folder: Path) -> None:
    extractor = load_vgg19(folder=folder)
    assert extractor.taps == ("relu1_1", "relu1_2", "relu2_1")
    with pytest.raises(ValueError, match=r"no layer relu3_1; there are relu1_1, relu1_2, relu2_1"):
        extractor(torch.zeros(1, 3, 8, 8), ["relu3_1"])


def test_the_folder_may_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder))
    assert load_vgg19().taps[-1] == "relu2_1"


def test_a_missing_file_and_its_place_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match=rf"no {WEIGHTS_FILE} in {tmp_path}: put it there"):
        load_vgg19(folder=tmp_path)
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    with pytest.raises(WeightsError, match="set VIDSTYLE_WEIGHTS to that folder"):
        load_vgg19()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("features.2.bias"), r"lacks features\.2\.bias"),
        (lambda t: t.pop("features.0.weight"), r"lacks features\.0\.weight"),
        (lambda t: t.update({"classifier.0.bias": torch.zeros(1)}), "unknown classifier"),
        (lambda t: t.update({"features.5.bias": torch.zeros(3)}), r"relu2_1 has a weight"),
    ],
)
def test_a_file_of_another_layout_is_refused(
    folder: Path, tensors: Tensors, change: object, words: str
) -> None:
    assert callable(change)
    change(tensors)
    safetensors_file.write(folder / WEIGHTS_FILE, tensors, {})
    with pytest.raises(WeightsError, match=words):
        load_vgg19(folder=folder)


def test_weights_for_another_input_are_refused(folder: Path, tensors: Tensors) -> None:
    safetensors_file.write(folder / WEIGHTS_FILE, tensors, {"input": "RGB, 0-1"})
    with pytest.raises(WeightsError, match="takes 'RGB, 0-1'; wanted BGR"):
        load_vgg19(folder=folder)


def test_the_real_weights_are_trained(shared_data: Path) -> None:
    extractor = load_vgg19(folder=shared_data / "weights")
    assert extractor.taps[-1] == "relu3_4"
    path = shared_data / "photos" / "kodak" / "04.png"
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert photo is not None
    photo = photo[:128, :128]
    mirrored = [torch.from_numpy(each.copy()) for each in (photo, photo[:, ::-1], photo[::-1])]
    upright, flipped, fallen = (
        extractor(each.permute(2, 0, 1)[None].float() / 255, ["relu3_4"])["relu3_4"].mean((2, 3))
        for each in mirrored
    )
    # Photos have no handedness but do have an upside: trained filters tell only the latter.
    assert (upright - flipped).norm() < (upright - fallen).norm()
