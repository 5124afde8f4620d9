"""Networks of lengstrom's fast-style-transfer are recognized, and give what they gave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.signal import correlate2d

from tests.models.numbered_networks import numbered_weights, stylize_numbered
from tests.models.original_networks import Weights, original_weights
from vidstyle.core.errors import WeightsError
from vidstyle.models.style.fast_style_transfer import (
    convert_numbered_weights,
    has_numbered_weights,
    numbered_keys,
)
from vidstyle.models.style.johnson_tanh import ZeroPaddedLayer
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import Credit, load_style, save_style
from vidstyle.models.style.style_import import import_style

FILE = Path("wave.pth")
# What float32 is accurate to: a fiftieth of a gray level.
CLOSE = 0.02 / 255


def image(height: int = 16, width: int = 24) -> np.ndarray:
    """RGB in 0 to 255, whose channels differ."""
    noise = np.random.default_rng(1).random((height, width, 3))
    return 255 * noise * np.array([1.0, 0.6, 0.3])


def stylized(weights: Weights, given: np.ndarray) -> np.ndarray:
    """By the converted network, of an image in 0 to 255."""
    network = convert_numbered_weights(FILE, weights)
    images = torch.from_numpy(given / 255).float().permute(2, 0, 1)[None]
    return stylize(network, images)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("size", [(16, 24), (28, 12)])
def test_a_converted_network_equals_the_original(width: int, size: tuple[int, int]) -> None:
    weights, given = numbered_weights(width), image(*size)
    exact = stylize_numbered(weights, given).clip(0, 255) / 255
    assert exact.std() > 0.1
    assert np.abs(stylized(weights, given) - exact).max() < CLOSE
    assert np.abs(stylized(numbered_weights(width, seed=1), given) - exact).mean() > 0.05


def test_the_originals_range_is_cut_off_and_not_compressed() -> None:
    weights = numbered_weights()
    weights["Variable_47"] *= 4
    found = stylized(weights, image())
    assert found.min() == 0
    assert found.max() == 1


def test_halving_looks_below_and_to_the_right() -> None:
    """At even sides TensorFlow's SAME has its zeros behind: a kernel begins at its pixel."""
    layer = ZeroPaddedLayer(1, 1, stride=2)[0]
    kernel = torch.arange(9.0).reshape(1, 1, 3, 3)
    layer.weight.data[:] = kernel
    given = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(0))
    behind = np.pad(given[0, 0].numpy(), ((0, 1), (0, 1)))
    wanted = correlate2d(behind, kernel[0, 0].numpy(), "valid")[::2, ::2]
    np.testing.assert_allclose(layer(given)[0, 0].detach().numpy(), wanted, rtol=1e-5)


def test_keys_are_numbered_in_the_order_of_the_computation() -> None:
    keys = numbered_keys()
    assert len(keys) == len(set(keys.values())) == 48
    assert keys["encode.0.0.weight"] == "Variable"
    assert keys["encode.0.1.bias"] == "Variable_1"
    assert keys["decode.0.0.weight"] == "Variable_39"
    assert keys["output.1.weight"] == "Variable_47"


def test_other_layouts_have_no_numbered_keys() -> None:
    assert has_numbered_weights(numbered_weights())
    assert not has_numbered_weights(original_weights())
    assert not has_numbered_weights({})
    assert not has_numbered_weights({**numbered_weights(), "conv1.conv2d.weight": torch.zeros(1)})


def without_the_last(weights: Weights) -> None:
    del weights["Variable_47"]


def without_the_first(weights: Weights) -> None:
    del weights["Variable"]


def with_one_more(weights: Weights) -> None:
    weights["Variable_48"] = torch.zeros(3)


def in_torchs_order(weights: Weights) -> None:
    weights["Variable"] = weights["Variable"].permute(3, 2, 0, 1)


def with_another_kernel(weights: Weights) -> None:
    weights["Variable_39"] = weights["Variable_39"].transpose(2, 3)


def with_nan(weights: Weights) -> None:
    weights["Variable_5"][1] = torch.nan


def of_whole_numbers(weights: Weights) -> None:
    weights["Variable_5"] = weights["Variable_5"].int()


def very_wide(weights: Weights) -> None:
    weights["Variable"] = torch.zeros(9, 9, 3, 129)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_the_last, "has 47 arrays; wanted 48, from Variable to Variable_47"),
        (without_the_first, "Variable is not there; wanted .9, 9, 3, channels."),
        (with_one_more, "has 49 arrays; wanted 48"),
        (in_torchs_order, r"Variable is \(2, 3, 9, 9\); wanted \(9, 9, 3, channels\)"),
        (with_another_kernel, r"Variable_39 is \(3, 3, 8, 4\); wanted \(3, 3, 4, 8\)"),
        (with_nan, "Variable_5 has values that are not finite"),
        (of_whole_numbers, "Variable_5 is not a plain array of floating-point numbers"),
        (very_wide, "has 129 channels in its first layer; wanted 1 to 128"),
    ],
)
def test_what_is_no_such_network_is_refused(spoil: Callable[[Weights], None], words: str) -> None:
    weights = numbered_weights()
    spoil(weights)
    with pytest.raises(WeightsError, match=words) as caught:
        convert_numbered_weights(FILE, weights)
    assert str(FILE) in str(caught.value)


def test_given_weights_are_not_changed() -> None:
    weights = numbered_weights()
    before = {key: value.clone() for key, value in weights.items()}
    convert_numbered_weights(FILE, weights)
    assert all(torch.equal(weights[key], before[key]) for key in weights)


@pytest.mark.slow
def test_a_published_network_gives_what_it_gave(shared_data: Path, tmp_path: Path) -> None:
    file = shared_data / "weights" / "peers" / "ml5_tf_wave_fp16.safetensors"
    found = import_style(file, name="wave", credit=Credit())
    assert found.recognized == "lengstrom fast-style-transfer, 32 channels"
    photo = cv2.imread(str(shared_data / "photos" / "kodak" / "05.png"))
    assert photo is not None
    pixels = photo[200:264, 200:296, ::-1].astype(np.float64)
    original = stylize_numbered(load_file(file), pixels).clip(0, 255)
    save_style(tmp_path / "style.safetensors", found.style.info, found.style.module)
    images = torch.from_numpy(pixels / 255).float().permute(2, 0, 1)[None]
    # As it is imported, and as the file has it, in float16.
    for module in (found.style.module, load_style(tmp_path / "style.safetensors").module):
        result = 255 * stylize(module, images)[0].permute(1, 2, 0).numpy()
        assert np.abs(result - original).max() < 0.1
