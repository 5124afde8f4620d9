"""Painting by a network: its own answer at any size, by strength, within a mask, in a mix."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.core import Clip, Frame, Place, Window
from vidstyle.core.errors import WeightsError
from vidstyle.models.architectures import empty_network
from vidstyle.models.network import StyleNetwork, paint
from vidstyle.models.style_file import (
    Architecture,
    Credit,
    StyleInfo,
    load_style,
    save_style,
)
from vidstyle.stages.stylize.feedforward import STAGE, FeedForward, FeedForwardOptions
from vidstyle.testing import checks_for

WIDTH = 4


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, not trained: what is tested is how it is used."""
    return write_style(tmp_path_factory.mktemp("styles") / "small.safetensors", 3)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another style of the same form."""
    return write_style(tmp_path_factory.mktemp("styles") / "other.safetensors", 4)


def write_style(
    path: Path, seed: int, architecture: Architecture = "johnson", width: int = WIDTH
) -> Path:
    network = random_network(seed, architecture, width)
    save_style(path, StyleInfo(path.stem, Credit(), architecture, width), network)
    return path


def random_network(seed: int, architecture: str = "johnson", width: int = WIDTH) -> StyleNetwork:
    network = empty_network(architecture, width)
    network.initialise(torch.Generator().manual_seed(seed))
    return network


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)


def painted(
    style: Path | dict[str, float],
    image: np.ndarray,
    *,
    strength: float = 1.0,
    mask: np.ndarray | None = None,
) -> torch.Tensor:
    named = {} if mask is None else {"mask": "region"}
    written = style if isinstance(style, dict) else str(style)
    stage = FeedForward(FeedForwardOptions(style=written, strength=strength, **named))
    clip = Clip(image.shape[1], image.shape[0], Fraction(1, 25))
    stage.open(stage.describe(clip), Place())
    given = {"image": torch.from_numpy(image).permute(2, 0, 1)}
    if mask is not None:
        given["region"] = torch.from_numpy(mask)
    layers, state = stage.step(Window(Frame(0, 0, 1, given), stage.options), None)
    stage.close()
    assert state is None
    assert set(layers) == {"image"}
    return torch.as_tensor(layers["image"])


@pytest.mark.parametrize("size", [(64, 96), (37, 51), (16, 16)])
def test_it_is_the_network_itself_at_any_size(style: Path, size: tuple[int, int]) -> None:
    image = picture(*size)
    network = random_network(3)
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


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.9])
def test_strength_mixes_the_picture_with_its_painting(style: Path, strength: float) -> None:
    image = picture(32, 40)
    whole, source = painted(style, image).double(), as_tensor(image).double()
    wanted = source + strength * (whole - source)
    got = painted(style, image, strength=strength)
    torch.testing.assert_close(got.double(), wanted, atol=1e-6, rtol=0)


def test_at_strength_0_the_picture_passes_without_being_painted(
    style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> torch.Tensor:
        raise AssertionError("painted")

    monkeypatch.setattr("vidstyle.models.network.paint", refuse)
    image = picture(32, 40) * 3 - 1
    assert torch.equal(painted(style, image, strength=0), as_tensor(image))
    with pytest.raises(AssertionError, match="painted"):
        painted(style, image, strength=0.01)


def test_a_mask_multiplies_strength_pixel_by_pixel(style: Path) -> None:
    image, mask = picture(32, 40), np.random.default_rng(2).random((1, 32, 40), np.float32)
    mask[:, :, :10], mask[:, :, 30:] = 0, 1
    whole, source = painted(style, image), as_tensor(image)
    got = painted(style, image, mask=mask)
    assert torch.equal(got[:, :, :10], source[:, :, :10])
    assert torch.equal(got[:, :, 30:], whole[:, :, 30:])
    half = painted(style, image, strength=0.5, mask=mask)
    share = 0.5 * torch.from_numpy(mask).double()
    wanted = source.double() + share * (whole - source).double()
    torch.testing.assert_close(half.double(), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", [(3, 32, 40), (1, 16, 20), (1, 1, 1), (32, 40)])
def test_a_mask_of_another_form_is_refused(style: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"the mask region must be one value a pixel"):
        painted(style, picture(32, 40), mask=np.ones(shape, np.float32))


def test_without_a_mask_no_other_layer_is_read(style: Path) -> None:
    plain = FeedForward(FeedForwardOptions(style=str(style)))
    masked = FeedForward(FeedForwardOptions(style=str(style), mask="visible"))
    assert set(plain.needs.reads) == {"image"}
    assert set(masked.needs.reads) == {"image", "visible"}


def test_a_mix_of_two_styles_paints_with_averaged_weights(style: Path, other: Path) -> None:
    image = picture(37, 51)
    first, second = (load_style(path).module.state_dict() for path in (style, other))
    network = random_network(0)
    network.load_state_dict({k: 0.75 * first[k] + 0.25 * second[k] for k in first})
    with torch.no_grad():
        wanted = paint(network.eval(), as_tensor(image)[None])[0]
    got = painted({str(style): 3, str(other): 1}, image)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)
    assert torch.equal(painted({str(style): 2, str(other): 0}, image), painted(style, image))


@pytest.mark.parametrize(("architecture", "width"), [("fast", WIDTH), ("johnson", WIDTH + 1)])
def test_styles_that_cannot_be_mixed_are_known_before_anything_is_loaded(
    style: Path, tmp_path: Path, architecture: Architecture, width: int
) -> None:
    odd = write_style(tmp_path / "odd.safetensors", 1, architecture, width)
    stage = FeedForward(FeedForwardOptions(style={str(style): 1, str(odd): 1}))
    with pytest.raises(WeightsError, match=rf"small.*johnson with 4 .*odd.*{architecture} with"):
        stage.describe(Clip(64, 64, Fraction(1, 25)))


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("options", [{}, {"strength": 0.5, "mask": "region"}])
def test_the_check_suite_accepts_it(
    style: Path, other: Path, mixed: bool, options: dict[str, object]
) -> None:
    written = {str(style): 1, str(other): 2} if mixed else str(style)
    for name, check in checks_for(STAGE, style=written, **options):
        try:
            check()
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error
