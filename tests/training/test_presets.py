"""Presets are settings, and say what was published."""

from __future__ import annotations

import pytest

from vidstyle.models.loss.backbone_table import BACKBONES
from vidstyle.training.presets import DEFAULT, PRESETS
from vidstyle.training.settings import Settings


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_settings(name: str) -> None:
    settings = Settings(**PRESETS[name])
    assert {key: getattr(settings, key) for key in PRESETS[name]} == PRESETS[name]


def test_the_default_preset_is_the_default() -> None:
    assert Settings(**PRESETS[DEFAULT]) == Settings()


@pytest.mark.parametrize(("name", "images"), [("johnson-2016", 160_000), ("instance-norm", 20_000)])
def test_a_published_recipe_sees_as_many_images(name: str, images: int) -> None:
    settings = Settings(**PRESETS[name])
    assert settings.iterations * settings.batch == images
    assert settings.temporal == 0


@pytest.mark.parametrize("name", ["johnson-2016", "instance-norm"])
def test_a_published_recipe_names_layers_of_its_backbone(name: str) -> None:
    settings = Settings(**PRESETS[name])
    assert settings.style_layers is not None
    assert {*settings.style_layers, settings.content_layer} <= set(
        BACKBONES[settings.backbone].names
    )
