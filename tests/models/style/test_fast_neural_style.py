"""Networks of fast_neural_style are recognized by their weights, and give what they gave."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from safetensors.torch import load_file

from tests.models.original_networks import (
    Enlarging,
    Weights,
    original_weights,
    stylize_originally,
    with_statistics,
)
from vidstyle.core.errors import WeightsError
from vidstyle.models.style.fast_neural_style import Channels, convert_weights, recognize
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import Credit, load_style, save_style
from vidstyle.models.style.style_import import import_style

FILE = Path("wave.pth")
# What float32 is accurate to: a hundredth of a gray level.
CLOSE = 0.01 / 255


def images(height: int = 24, width: int = 32) -> torch.Tensor:
    """Two images, RGB in 0 to 255, whose channels differ."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(2, 3, height, width, generator=generator)
    return 255 * noise * torch.tensor([1.0, 0.6, 0.3])[:, None, None]


def stylized(weights: Weights, channels: Channels | None = None) -> torch.Tensor:
    """By the converted network, of images in 0 to 255."""
    found = recognize(FILE, weights, channels)
    return stylize(convert_weights(FILE, found), images() / 255)


def expected(weights: Weights) -> torch.Tensor:
    """By the original in float64."""
    exact = {key: value.double() for key, value in weights.items()}
    return stylize_originally(exact, images().double()).clamp(0, 255) / 255


@pytest.mark.parametrize("enlarging", ["resize", "transposed"])
@pytest.mark.parametrize("width", [1, 3, 16])
def test_a_converted_network_equals_the_original(width: int, enlarging: Enlarging) -> None:
    weights = original_weights(width, enlarging=enlarging)
    assert (stylized(weights) - expected(weights)).abs().max() < CLOSE


def test_the_images_of_these_tests_distinguish_networks() -> None:
    weights = original_weights()
    exact = expected(weights)
    assert 0.1 < exact.mean() < 0.9
    assert exact.std() > 0.05
    assert (stylized(original_weights(seed=1)) - exact).abs().mean() > 0.05
    assert (stylized(weights, "bgr") - exact).abs().mean() > 0.01


def test_the_float32_original_is_as_far_from_the_float64_one() -> None:
    weights = original_weights(8)
    rough = stylize_originally(weights, images()).clamp(0, 255) / 255
    assert (rough - expected(weights)).abs().max() < CLOSE


def test_the_first_vintage_takes_bgr_and_another_epsilon() -> None:
    weights = original_weights(4, by_hand=True)
    found = recognize(FILE, weights)
    assert (found.channels, found.ignored) == ("bgr", ())
    assert str(found).endswith("4 channels, resize convolution, BGR images")
    exact = {key: value.double() for key, value in weights.items()}
    original = stylize_originally(exact, images().double().flip(1)).flip(1).clamp(0, 255) / 255
    assert (stylized(weights) - original).abs().max() < 0.01 / 255
    assert (stylized(weights, "rgb") - original).abs().max() > 0.01


def test_channels_that_are_given_overrule_the_vintage() -> None:
    weights = original_weights()
    exact = {key: value.double() for key, value in weights.items()}
    original = stylize_originally(exact, images().double().flip(1)).flip(1).clamp(0, 255) / 255
    assert (stylized(weights, "bgr") - original).abs().max() < CLOSE


def test_what_was_recognized_is_reported() -> None:
    resize = recognize(FILE, original_weights(3))
    assert str(resize) == "pytorch/examples fast_neural_style, 3 channels, resize convolution"
    assert (resize.architecture, resize.width, resize.ignored) == ("johnson", 3, ())
    transposed = recognize(FILE, original_weights(3, enlarging="transposed"))
    assert str(transposed).endswith("3 channels, fractionally strided convolution")
    assert transposed.architecture == "johnson-fractional"
    assert "stride 2 and padding 1 are assumed" in transposed.ignored[0]


def test_running_statistics_are_passed_over_and_listed() -> None:
    weights = original_weights()
    old, counted = with_statistics(weights), with_statistics(weights, counted=True)
    assert len(counted) > len(old) > len(weights)
    assert recognize(FILE, old).ignored == (
        "running statistics of old instance normalization: not used",
    )
    assert "each image is normalized by its own" in recognize(FILE, counted).ignored[0]
    assert torch.equal(stylized(old), stylized(weights))
    assert torch.equal(stylized(counted), stylized(weights))


def test_convolutions_without_biases_are_taken() -> None:
    weights = original_weights()
    fewer = {
        key: value
        for key, value in weights.items()
        if "conv" not in key or key.endswith("weight") or key.startswith("deconv3")
    }
    assert len(fewer) == len(weights) - 15
    assert torch.equal(stylized(fewer), stylized(weights))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_precision_of_floating_point_is_taken(dtype: torch.dtype) -> None:
    weights = {key: value.to(dtype) for key, value in original_weights().items()}
    assert (stylized(weights) - expected(weights)).abs().max() < CLOSE


def test_weights_that_are_given_are_left_alone() -> None:
    # Doubles need no conversion, and so could be shared.
    weights = {key: value.double() for key, value in original_weights().items()}
    before = {key: value.clone() for key, value in weights.items()}
    convert_weights(FILE, recognize(FILE, weights, "bgr"))
    assert all(torch.equal(weights[key], before[key]) for key in before)


def test_another_layout_is_named_by_what_it_begins_with() -> None:
    weights = {"layers.0.weight": torch.zeros(2, 3), "layers.0.bias": torch.zeros(2)}
    with pytest.raises(WeightsError, match=r"it begins with layers\.0\.weight \(2, 3\), layers"):
        recognize(FILE, weights)
    with pytest.raises(WeightsError, match="it begins with nothing; known is pytorch/examples"):
        recognize(FILE, {})


def test_missing_and_unknown_weights_are_named() -> None:
    weights = original_weights()
    weights["res6.conv1.conv2d.weight"] = weights.pop("res5.in2.weight")
    words = r"fast_neural_style, but lacks res5\.in2\.weight and has unknown res6\.conv1\.conv2d"
    with pytest.raises(WeightsError, match=words):
        recognize(FILE, weights)


def test_residual_blocks_with_one_normalization_are_refused() -> None:
    weights = {k: v for k, v in original_weights().items() if ".in2." not in k}
    with pytest.raises(WeightsError, match=r"lacks res1\.in2\.bias, .* and others$"):
        recognize(FILE, weights)


@pytest.mark.parametrize("shape", [(), (32,), (0, 3, 9, 9), (129, 3, 9, 9), (8, 1, 9, 9)])
def test_a_first_layer_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    weights = original_weights() | {"conv1.conv2d.weight": torch.zeros(shape)}
    with pytest.raises(WeightsError, match=r"conv1\.conv2d\.weight is \(.*wanted \(channels, 3"):
        recognize(FILE, weights)


@pytest.mark.parametrize("key", ["conv2.conv2d.weight", "res3.in1.bias", "deconv3.conv2d.bias"])
def test_every_wrong_shape_is_named(key: str) -> None:
    weights = original_weights() | {key: torch.zeros(7, 1)}
    with pytest.raises(WeightsError, match=rf"wave\.pth: {key} is \(7, 1\); wanted \("):
        convert_weights(FILE, recognize(FILE, weights))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite_are_named(value: float) -> None:
    weights = original_weights()
    weights["res2.conv1.conv2d.weight"][1, 2, 0, 1] = value
    with pytest.raises(WeightsError, match=r"res2\.conv1\.conv2d\.weight has values that are not"):
        convert_weights(FILE, recognize(FILE, weights))


@pytest.mark.parametrize("dtype", [torch.int32, torch.complex64, torch.bool])
def test_numbers_that_are_not_floating_point_are_named(dtype: torch.dtype) -> None:
    weights = original_weights()
    weights["in4.weight"] = weights["in4.weight"].to(dtype)
    with pytest.raises(WeightsError, match=r"in4\.weight is torch\.\w+; wanted float16, 32 or 64"):
        convert_weights(FILE, recognize(FILE, weights))


@pytest.mark.slow
@pytest.mark.parametrize("photo", ["04", "08", "12"])
@pytest.mark.parametrize("name", ["candy", "udnie"])
def test_published_styles_give_what_they_gave(
    name: str, photo: str, shared_data: Path, tmp_path: Path
) -> None:
    file = shared_data / "weights" / "styles" / f"{name}_transformernet_fp16.safetensors"
    image = cv2.imread(str(shared_data / "photos" / "kodak" / f"{photo}.png"))
    assert image is not None
    pixels = torch.from_numpy(image[:256, :320, ::-1].copy()).permute(2, 0, 1)[None].float()
    weights = {key: value.float() for key, value in load_file(file).items()}
    original = stylize_originally(weights, pixels).clamp(0, 255)
    imported = import_style(file, name=name, credit=Credit()).style
    assert (stylize(imported.module, pixels / 255) * 255 - original).abs().max() < 0.01
    # And as the file has it, in float16.
    save_style(tmp_path / "style.safetensors", imported.info, imported.module)
    stored = load_style(tmp_path / "style.safetensors")
    assert (stylize(stored.module, pixels / 255) * 255 - original).abs().max() < 0.1
