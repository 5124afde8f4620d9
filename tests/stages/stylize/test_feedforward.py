"""Painting by a network: the network's own answer, at any size, within [0, 1]."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.core import Clip, Frame, Place, Window
from vidstyle.core.errors import WeightsError
from vidstyle.models.johnson import TransformerNet, initialise, paint
from vidstyle.models.style_file import ARCHITECTURE, Credit, StyleInfo, save_style
from vidstyle.stages.stylize.feedforward import STAGE, FeedForward, FeedForwardOptions
from vidstyle.testing import checks_for

WIDTH = 4


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, not trained: what is tested is how it is used."""
    network = TransformerNet(WIDTH)
    initialise(network, torch.Generator().manual_seed(3))
    path = tmp_path_factory.mktemp("styles") / "small.safetensors"
    save_style(path, StyleInfo("small", Credit(), ARCHITECTURE, WIDTH), network)
    return path


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)


def painted(style: Path, image: np.ndarray) -> torch.Tensor:
    stage = FeedForward(FeedForwardOptions(style=str(style)))
    clip = Clip(image.shape[1], image.shape[0], Fraction(1, 25))
    stage.open(stage.describe(clip), Place())
    frame = Frame(0, 0, 1, {"image": torch.from_numpy(image).permute(2, 0, 1)})
    layers, state = stage.step(Window(frame, stage.options), None)
    stage.close()
    assert state is None
    assert set(layers) == {"image"}
    return torch.as_tensor(layers["image"])


@pytest.mark.parametrize("size", [(64, 96), (37, 51), (16, 16)])
def test_it_is_the_network_itself_at_any_size(style: Path, size: tuple[int, int]) -> None:
    image = picture(*size)
    network = TransformerNet(WIDTH)
    initialise(network, torch.Generator().manual_seed(3))
    network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    with torch.no_grad():
        wanted = paint(network.eval(), torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    torch.testing.assert_close(painted(style, image), wanted, atol=1e-5, rtol=0)
    assert wanted.shape == (3, *size)


@pytest.mark.parametrize("size", [(1, 9), (3, 2), (1, 1)])
def test_the_smallest_pictures_are_painted_too(style: Path, size: tuple[int, int]) -> None:
    assert painted(style, picture(*size)).shape == (3, *size)


def test_the_result_lies_within_the_range_of_pictures(style: Path) -> None:
    result = painted(style, picture(48, 48) * 3 - 1)
    assert float(result.min()) >= 0
    assert float(result.max()) <= 1


def test_an_unknown_style_is_known_before_anything_is_loaded() -> None:
    stage = FeedForward(FeedForwardOptions(style="no-such-style"))
    with pytest.raises(WeightsError, match="no-such-style"):
        stage.describe(Clip(64, 64, Fraction(1, 25)))


@pytest.mark.slow
def test_the_check_suite_accepts_it(style: Path) -> None:
    for name, check in checks_for(STAGE, style=str(style)):
        try:
            check()
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error
