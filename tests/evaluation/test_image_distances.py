"""Distances have the values that their definitions fix, and put networks in the right order."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from vidstyle.core.errors import InputError, WeightsError
from vidstyle.evaluation.image_distances import (
    EVALUATOR_LAYERS,
    EvaluatorLayers,
    ImageComparison,
    ImageDistances,
    ImageEvaluator,
    feature_distances,
    load_evaluator_network,
)
from vidstyle.models.loss.backbone import Backbone, LayerError
from vidstyle.models.loss.backbone_network import build_network

LAYERS = EvaluatorLayers(("relu1", "fire2", "fire3"), ("fire2", "fire3"))


def squeezenet() -> Backbone:
    """Never trained, up to its third layer."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for key, value in build_network("squeezenet").state_dict().items():
        if key.startswith("features.") and int(key.split(".")[1]) <= 4:
            inputs = value[0].numel() if value.ndim == 4 else 1
            weights[key] = torch.randn(value.shape, generator=generator) * (2 / inputs) ** 0.5
    return Backbone("squeezenet", weights)


@pytest.fixture(autouse=True)
def always_one_thread(one_thread: None) -> None:
    """For every test of this file."""


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return squeezenet()


@pytest.fixture(scope="module")
def evaluator(backbone: Backbone) -> ImageEvaluator:
    return ImageEvaluator(backbone, LAYERS)


def image(seed: int, height: int = 64, width: int = 80) -> torch.Tensor:
    noise = torch.rand(1, 3, height // 8, width // 8, generator=torch.Generator().manual_seed(seed))
    return functional.interpolate(noise, (height, width), mode="bilinear")


def measured(
    evaluator: ImageEvaluator, photos: list[torch.Tensor], results: list[torch.Tensor]
) -> ImageDistances:
    comparison = ImageComparison(evaluator, {"wave": image(99)})
    for photo, result in zip(photos, results, strict=True):
        comparison.add(photo, {"wave": {"net": result}})
    return comparison.distances()["wave"]["net"]


def test_an_untouched_photo_has_all_of_its_content_and_no_style(evaluator: ImageEvaluator) -> None:
    photos = [image(1), image(2), image(3)]
    found = measured(evaluator, photos, photos)
    assert found.style == pytest.approx(1)
    assert found.style_deep == pytest.approx(1)
    assert found.content == 0


def test_the_style_image_itself_has_all_of_the_style(evaluator: ImageEvaluator) -> None:
    found = measured(evaluator, [image(1), image(2)], [image(99), image(99)])
    assert found.style == pytest.approx(0, abs=1e-9)
    assert found.style_deep == pytest.approx(0, abs=1e-9)
    assert found.content > 0.3


def test_the_next_photo_has_a_content_distance_of_one(evaluator: ImageEvaluator) -> None:
    """Of two photos, each is the unrelated one of the other."""
    photos = [image(1), image(2)]
    assert measured(evaluator, photos, photos[::-1]).content == pytest.approx(1, rel=1e-5)


def test_a_blend_lies_between(evaluator: ImageEvaluator) -> None:
    photos = [image(1), image(2)]
    blends = [
        measured(evaluator, photos, [(1 - part) * photo + part * image(99) for photo in photos])
        for part in (0.0, 0.6, 0.9)
    ]
    styles, contents = ([getattr(one, name) for one in blends] for name in ("style", "content"))
    assert styles == sorted(styles, reverse=True)
    assert contents == sorted(contents)


def test_styles_are_compared_by_the_written_definition(
    evaluator: ImageEvaluator, backbone: Backbone
) -> None:
    photos, results = [image(1), image(2)], [image(3), image(4)]

    def gram_error(one: torch.Tensor, scale: float, layer: str) -> float:
        grams = []
        for each in (one, image(99)):
            size = [round(scale * side) for side in each.shape[2:]]
            sized = functional.interpolate(each, size, mode="bilinear", antialias=True)
            flat = backbone(sized, [layer])[layer][0].double().flatten(1)
            grams.append(flat @ flat.T / flat.numel())
        return float((grams[0] - grams[1]).square().mean())

    ratios = {
        layer: [
            sum(gram_error(one, scale, layer) for one in results)
            / sum(gram_error(one, scale, layer) for one in photos)
            for scale in (1.0, 0.5)
        ]
        for layer in LAYERS.style
    }
    found = measured(evaluator, photos, results)
    assert found.style == pytest.approx(sum(map(sum, ratios.values())) / 6, rel=1e-3)
    assert found.style_deep == pytest.approx(sum(ratios["fire3"]) / 2, rel=1e-3)


def test_every_style_image_has_its_own_distances(evaluator: ImageEvaluator) -> None:
    comparison = ImageComparison(evaluator, {"wave": image(99), "night": image(98)})
    for photo in (image(1), image(2)):
        comparison.add(
            photo, {"wave": {"a": image(99), "b": photo}, "night": {"a": image(99), "c": photo}}
        )
    found = comparison.distances()
    assert {name: set(networks) for name, networks in found.items()} == {
        "wave": {"a", "b"},
        "night": {"a", "c"},
    }
    assert found["wave"]["a"].style == pytest.approx(0, abs=1e-9)
    assert found["night"]["a"].style > 0.01
    assert found["wave"]["a"].content == found["night"]["a"].content


def test_photos_may_lie_and_stand(evaluator: ImageEvaluator) -> None:
    photos = [image(1), image(2, 80, 64)]
    assert 0 < measured(evaluator, photos, [image(3), image(4, 80, 64)]).content < 5


def test_features_of_other_sizes_are_compared_where_both_are() -> None:
    first, second = torch.zeros(1, 2, 4, 6), torch.ones(1, 2, 5, 3)
    second[:, :, 4:] = 100
    assert feature_distances({"x": first}, {"x": second}) == {"x": 1.0}


def test_content_alone_is_that_of_all_features(evaluator: ImageEvaluator) -> None:
    found, wanted = evaluator.content(image(1)), evaluator.features(image(1)).content
    assert found.keys() == wanted.keys() == set(LAYERS.content)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_one_photo_has_no_other_to_be_compared_with(evaluator: ImageEvaluator) -> None:
    with pytest.raises(InputError, match="give at least two"):
        measured(evaluator, [image(1)], [image(2)])


def test_an_evaluator_needs_all_of_its_layers(backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="squeezenet"):
        load_evaluator_network("squeezenet", weights=tmp_path)
    deeper = ImageEvaluator(backbone, EVALUATOR_LAYERS["squeezenet"])
    with pytest.raises(LayerError, match="squeezenet has no layer fire5"):
        deeper.features(image(1))


def test_the_published_evaluators_have_these_layers(shared_data: Path) -> None:
    for name, layers in EVALUATOR_LAYERS.items():
        found = load_evaluator_network(name, weights=shared_data / "weights")
        features = found.features(image(1))
        assert {layer for layer, _ in features.grams} == set(layers.style)
        assert set(features.content) == set(layers.content)
