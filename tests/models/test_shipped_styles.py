"""Shipped styles keep the promises of their cards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import load_style, read_style_info
from vidstyle.models.style.style_weights import load_style_weights
from vidstyle.models.style.styles import base_network, shipped_styles

STYLES = sorted(shipped_styles().glob("*.safetensors"))


def test_at_least_eight_styles_ship_and_each_has_a_card() -> None:
    assert len(STYLES) >= 8
    for path in STYLES:
        assert path.stat().st_size < 2**20
        card = path.with_suffix(".md").read_text()
        info = read_style_info(path)
        assert info.name == path.stem
        assert info.credit.style_image in card
        assert info.credit.license in card


@pytest.mark.parametrize("path", STYLES, ids=[path.stem for path in STYLES])
def test_8_bits_keep_a_style_near_and_its_card_says_how_near(path: Path) -> None:
    error = read_style_info(path).int8_error
    assert error is not None
    assert error < 1.5 / 255
    card = path.with_suffix(".md").read_text()
    assert f"float32 is at most {255 * error:.2f} of 255." in card
    count = len(load_style_weights(path).ranges)
    # Each that stays in bfloat16 costs time, and three would cost too much.
    assert 7 <= count <= 9
    assert f"\n{count} of its convolutions can be in 8 bits" in card


def test_all_were_trained_with_one_setting_and_the_temporal_loss() -> None:
    settings = [dict(read_style_info(path).settings) for path in STYLES]
    # Each starts at a style of an earlier version.
    starts = {one.pop("initial_weights") for one in settings}
    assert starts <= {path.stem for path in STYLES}
    assert all(one == settings[0] for one in settings)
    assert len(STYLES) == 16
    assert settings[0]["temporal_weight"] > 0
    assert {read_style_info(path).architecture for path in STYLES} == {"fast"}


def test_the_base_of_the_default_network_ships() -> None:
    assert load_style(base_network("fast", 16)).info.settings["initial_weights"] == "random"


@pytest.mark.parametrize("path", STYLES, ids=[path.stem for path in STYLES])
def test_a_style_changes_an_image_and_stays_in_range(path: Path) -> None:
    photo = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    photo = torch.nn.functional.avg_pool2d(photo, 5, stride=1, padding=2)
    with torch.inference_mode():
        stylized = stylize(load_style(path).module, photo)
    assert stylized.shape == photo.shape
    assert stylized.min() > 0.02
    assert stylized.max() < 0.98
    assert (stylized - photo).abs().mean() > 0.05


@pytest.mark.parametrize("path", STYLES, ids=[path.stem for path in STYLES])
def test_a_style_makes_no_frame_around_a_flat_image(path: Path) -> None:
    with torch.inference_mode():
        stylized = stylize(load_style(path).module, torch.full((1, 3, 64, 96), 0.5))
    assert (stylized - stylized.mean(dim=(2, 3), keepdim=True)).abs().max() < 1e-3


def test_styles_of_one_base_mix_into_images_in_between() -> None:
    """Weights of networks from unrelated starts mix into gray."""
    photo = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    photo = torch.nn.functional.avg_pool2d(photo, 9, stride=1, padding=4)
    first, second = (load_style(path).module for path in STYLES[:2])
    mixed = load_style(STYLES[0]).module
    mixed.load_state_dict(
        {key: (value + second.state_dict()[key]) / 2 for key, value in first.state_dict().items()}
    )
    with torch.inference_mode():
        ends = [stylize(network, photo) for network in (first, second)]
        between = stylize(mixed, photo)
    assert between.std() > 0.5 * min(end.std() for end in ends)
