"""Presets are settings, and say what was published."""

from __future__ import annotations

import pytest

from vidstyle.models.loss.backbone_table import BACKBONES
from vidstyle.training.settings import DEFAULT, PRESETS, TrainingSettings


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_settings(name: str) -> None:
    settings = TrainingSettings(**PRESETS[name])
    assert {key: getattr(settings, key) for key in PRESETS[name]} == PRESETS[name]


def test_the_default_preset_is_the_default() -> None:
    assert TrainingSettings(**PRESETS[DEFAULT]) == TrainingSettings()


@pytest.mark.parametrize(("name", "images"), [("johnson-2016", 160_000), ("instance-norm", 20_000)])
def test_a_published_recipe_sees_as_many_images(name: str, images: int) -> None:
    settings = TrainingSettings(**PRESETS[name])
    assert settings.iterations * settings.batch == images
    assert settings.temporal_weight == 0


@pytest.mark.parametrize("name", ["johnson-2016", "instance-norm"])
def test_a_published_recipe_names_layers_of_its_backbone(name: str) -> None:
    settings = TrainingSettings(**PRESETS[name])
    assert settings.style_layers is not None
    assert settings.content_layers is not None
    assert settings.backbone != "auto"
    known = set(BACKBONES[settings.backbone].names)
    assert {*settings.style_layers, *settings.content_layers} <= known
