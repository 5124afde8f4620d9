"""Steps take turns among loss networks and image sizes."""

from __future__ import annotations

from pathlib import Path

import torch

from vidstyle.training.photos import list_photos
from vidstyle.training.settings import TrainingSettings
from vidstyle.training.turns import load_turns, settings_in_turn

SETTINGS = TrainingSettings(backbone="vgg16", second_backbone="vgg19", precision="float32")


def test_each_network_takes_every_size_before_the_other_does() -> None:
    turns = settings_in_turn(SETTINGS)
    assert [(turn.backbone, turn.style_scales) for turn in turns] == [
        ("vgg16", (1.0,)),
        ("vgg16", (1.0,)),
        ("vgg16", (0.5,)),
        ("vgg19", (1.0,)),
        ("vgg19", (1.0,)),
        ("vgg19", (0.5,)),
    ]


def test_a_crop_is_larger_and_is_seen_smaller_where_it_is_reduced() -> None:
    turns = settings_in_turn(SETTINGS.model_copy(update={"style_scales": (1.0, 0.5, 0.25)}))
    assert [turn.crop for turn in turns[:3]] == [208, 296, 416]


def test_layers_that_are_named_are_the_first_networks() -> None:
    named = SETTINGS.model_copy(
        update={"style_layers": ("relu1_1",), "content_layers": ("relu2_1",)}
    )
    first, *_, second = settings_in_turn(named)
    assert first.layer_weights == {"relu1_1": 1.0}
    assert first.content_layers == ("relu2_1",)
    assert second.layer_weights is not None
    assert max(second.layer_weights) == "relu3_4"


def test_a_single_network_has_the_layers_that_suit_it() -> None:
    single = TrainingSettings(backbone="squeezenet", second_backbone="none", style_scales=(1.0,))
    [turn] = settings_in_turn(single)
    assert turn.style_layers is None
    assert turn.content_layers is None


def test_a_second_network_is_taken_where_its_weights_are(weights: Path, tmp_path: Path) -> None:
    auto = TrainingSettings(backbone="vgg16", precision="float32")
    assert auto.resolve_auto("cpu", weights).second_backbone == "vgg19"
    other = TrainingSettings(backbone="squeezenet", precision="float32")
    assert other.resolve_auto("cpu", weights).second_backbone == "none"
    [file] = weights.iterdir()
    assert auto.resolve_auto("cpu", file).second_backbone == "none"


def test_content_and_style_are_compared_at_the_turns_size(
    settings: TrainingSettings, weights: Path, style_image: Path, photos: Path
) -> None:
    turns = load_turns(
        settings.model_copy(update={"precision": "float32"}),
        style_image,
        list_photos(photos),
        weights,
        "cpu",
    )
    assert [{size for _, size in turn.features.style_keys} for turn in turns] == [{1.0}, {0.5}]
    assert [{size for _, size in turn.features.content_keys} for turn in turns] == [{1.0}, {0.5}]
    crop = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    half = torch.nn.functional.avg_pool2d(crop, 2)
    # What only the full size shows is nothing to the turn at half of it.
    fine = crop - torch.nn.functional.interpolate(half, scale_factor=2)
    changed = [float(turn.terms(crop - fine, turn.content(crop))["content"]) for turn in turns]
    assert changed[0] > 0.01
    assert changed[1] < 0.1 * changed[0]


def test_sizes_that_are_named_twice_share_an_objective(
    settings: TrainingSettings, weights: Path, style_image: Path, photos: Path
) -> None:
    twice = settings.model_copy(
        update={
            "precision": "float32",
            "style_scales": (1.0, 1.0, 0.5),
        }
    )
    first, second, third = load_turns(twice, style_image, list_photos(photos), weights, "cpu")
    assert first is second
    assert first is not third
    assert first.features.backbone is third.features.backbone
