"""Losses on whole photos are those of the objective, whatever the size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from vidstyle.core.errors import InputError, WeightsError
from vidstyle.evaluation.style_losses import judging_settings, whole_image_losses
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import Credit, StyleInfo, save_style
from vidstyle.training.calibration import Objective, calibrate
from vidstyle.training.settings import Settings

SETTINGS = Settings(
    crop=32,
    precision="float32",
    style_layers=("relu1_1", "relu1_2"),
    content_layer="relu1_2",
    start="random",
)


class Same(StyleNetwork):
    """Returns its input."""

    architecture = "same"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def initialize(self, generator: torch.Generator) -> None:
        pass


def images(seed: int, *sizes: tuple[int, int]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(1, 3, *size, generator=generator) for size in sizes]


@pytest.fixture(scope="module")
def extractor() -> Backbone:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for number, inputs in ((0, 3), (2, 64)):
        weights[f"features.{number}.weight"] = torch.randn(64, inputs, 3, 3, generator=generator)
        weights[f"features.{number}.bias"] = torch.zeros(64)
    return Backbone("vgg19", weights)


def objective(extractor: Backbone, seed: int) -> Objective:
    (style_image,) = images(seed, (40, 48))
    # Half as bright as the photos, so that they are no painting themselves.
    return calibrate(extractor, style_image / 2, images(9, (32, 32), (32, 32)), SETTINGS)


def small_network() -> StyleNetwork:
    network = empty_network("fast", 2)
    network.initialize(torch.Generator().manual_seed(1))
    return network.eval()


def test_losses_are_the_objectives_over_those_of_untouched_photos(extractor: Backbone) -> None:
    photos = images(3, (32, 44), (50, 38))
    networks = {"first": (small_network(), objective(extractor, 1))}
    networks["second"] = (networks["first"][0], objective(extractor, 2))
    found = whole_image_losses(networks, photos)
    assert found["first"].style != found["second"].style
    for name, (network, judge) in networks.items():
        with torch.no_grad():
            rows = [judge.terms(stylize(network, photo), photo) for photo in photos]
            plain = [judge.terms(photo, photo) for photo in photos]
        style = sum(float(row["style"]) for row in rows) / sum(float(r["style"]) for r in plain)
        assert found[name].style == pytest.approx(style, rel=1e-5)
        content = sum(float(row["content"]) for row in rows) / 2
        assert found[name].content == pytest.approx(content, rel=1e-5)


def test_an_untouched_photo_has_style_loss_one_and_no_content_loss(extractor: Backbone) -> None:
    photos = images(4, (36, 36))
    losses = whole_image_losses({"same": (Same(1), objective(extractor, 1))}, photos)["same"]
    assert losses.style == pytest.approx(1)
    assert losses.content == 0


def test_a_photos_features_are_computed_once_for_all_styles(extractor: Backbone) -> None:
    judges = {str(seed): (Same(1), objective(extractor, seed)) for seed in (1, 2, 3)}
    calls: list[object] = []
    hook = extractor.register_forward_hook(lambda *call: calls.append(call))
    whole_image_losses(judges, images(5, (36, 36)))
    hook.remove()
    # Each image twice, at full and at half size: the photo and three paintings.
    assert len(calls) == 2 * (1 + 3)


def test_no_photos_are_an_error(extractor: Backbone) -> None:
    with pytest.raises(InputError, match="no photos"):
        whole_image_losses({"same": (Same(1), objective(extractor, 1))}, [])


def style_file(folder: Path, settings: Mapping[str, Any]) -> Path:
    path = folder / "night.safetensors"
    save_style(path, StyleInfo("night", Credit(), "fast", 2, settings), small_network())
    return path


def test_a_style_is_judged_by_what_its_training_measured_with(tmp_path: Path) -> None:
    path = style_file(tmp_path, SETTINGS.model_dump(mode="json") | {"strength": 2.0, "crop": 96})
    found = judging_settings(path)
    assert (found.crop, found.style_layers) == (96, ("relu1_1", "relu1_2"))
    assert found.strength == Settings().strength


def test_settings_of_other_versions_and_of_none_do_not_matter(tmp_path: Path) -> None:
    assert judging_settings(style_file(tmp_path, {"steadiness": 0.05})) == Settings()


def test_settings_that_cannot_be_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"night\.safetensors has settings .* crop"):
        judging_settings(style_file(tmp_path, {"crop": 7}))
